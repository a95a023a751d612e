{{/* How calls to this service travel: versions, pool, ejection, and the routes with their splits, timeouts and retries. */}}

{{- define "service.destinationrule" -}}
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata:
  name: {{ .Chart.Name }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "service.labels" . | nindent 4 }}
spec:
  host: {{ include "service.host" . }}
  trafficPolicy:
    tls: {mode: ISTIO_MUTUAL}
    connectionPool:
      {{- toYaml .Values.traffic.connectionPool | nindent 6 }}
    outlierDetection:
      {{- toYaml .Values.traffic.outlierDetection | nindent 6 }}
  subsets:
    {{- range $version, $_ := .Values.versions }}
    - name: {{ $version }}
      labels: {version: {{ $version }}}
    {{- end }}
{{- end }}

{{/*
Methods come in groups by the contract: those that may be repeated, those that may not, and those that answer with a stream, which
lasts. Istio would retry all of them by default, and so charge a card twice; here only the first group is retried. Everything else
(health, reflection) is sent to any version.
*/}}
{{- define "service.virtualservice" -}}
{{- $contract := .Files.Get "contract.yaml" | fromYaml }}
{{- $root := . }}
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: {{ .Chart.Name }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "service.labels" . | nindent 4 }}
spec:
  hosts:
    - {{ include "service.host" . }}
    - {{ .Chart.Name }}.{{ .Values.global.domain }}
  gateways: [mesh, ingress]
  http:
    {{- if gt (len .Values.versions) 1 }}
    {{- range $version, $_ := .Values.versions }}
    - name: only-{{ $version }}
      match:
        - headers: {x-version: {exact: {{ $version }}}}
      route:
        - destination: {{ include "service.destination" (dict "root" $root "version" $version) }}
      retries: {attempts: 0}
    {{- end }}
    {{- end }}
    {{- range $group := list "idempotent" "once" "streams" }}
    {{- $methods := list }}
    {{- $timeout := 0 }}
    {{- range $contract.methods }}
    {{- if eq $group (ternary "streams" (ternary "idempotent" "once" .idempotent) (default false .streams)) }}
    {{- $methods = append $methods .name }}
    {{- $timeout = maxf $timeout (trimSuffix "s" .timeout | float64) }}
    {{- end }}
    {{- end }}
    {{- if $methods }}
    - name: {{ $group }}
      match:
        {{- if eq (len $methods) (len $contract.methods) }}
        - uri: {prefix: /{{ $contract.service }}/}
        {{- else }}
        {{- range $methods }}
        - uri: {exact: /{{ $contract.service }}/{{ . }}}
        {{- end }}
        {{- end }}
      route:
        {{- include "service.split" $root | trim | nindent 8 }}
      timeout: {{ $timeout }}s
      {{- if eq $group "idempotent" }}
      retries:
        {{- toYaml $root.Values.traffic.retries | nindent 8 }}
      {{- else }}
      retries: {attempts: 0}
      {{- end }}
    {{- end }}
    {{- end }}
    - name: rest
      route:
        - destination: {{ include "service.destination" (dict "root" . "version" "") }}
      retries: {attempts: 0}
{{- end }}

{{/*
A service of HTTP: what it streams lasts, reads may be repeated, and everything else is sent once.
*/}}
{{- define "service.httpvirtualservice" -}}
{{- $root := . }}
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: {{ .Chart.Name }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "service.labels" . | nindent 4 }}
spec:
  hosts:
    - {{ include "service.host" . }}
    - {{ .Chart.Name }}.{{ .Values.global.domain }}
  gateways: [mesh, ingress]
  http:
    - name: streams
      match:
        {{- toYaml .Values.traffic.streams.match | nindent 8 }}
      route:
        {{- include "service.split" . | trim | nindent 8 }}
      timeout: {{ .Values.traffic.streams.timeout }}
      retries: {attempts: 0}
    - name: reads
      match:
        - method: {exact: GET}
      route:
        {{- include "service.split" . | trim | nindent 8 }}
      timeout: {{ .Values.traffic.timeout }}
      retries:
        {{- toYaml .Values.traffic.retries | nindent 8 }}
    - name: once
      route:
        {{- include "service.split" . | trim | nindent 8 }}
      timeout: {{ .Values.traffic.timeout }}
      retries: {attempts: 0}
{{- end }}

{{- define "service.destination" -}}
{host: {{ include "service.host" .root }}, port: {number: {{ include "service.port" .root }}}{{ with .version }}, subset: {{ . }}{{ end }}}
{{- end }}

{{- define "service.split" -}}
{{- $root := . }}
{{- range $version, $own := .Values.versions }}
- destination: {{ include "service.destination" (dict "root" $root "version" $version) }}
  {{- if gt (len $root.Values.versions) 1 }}
  weight: {{ $own.weight }}
  {{- end }}
{{- end }}
{{- end }}
