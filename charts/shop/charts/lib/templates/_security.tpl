{{/* Who may call this service, and whom it may call. `calls` says it once; everything here follows. */}}

{{- define "service.peerauthentication" -}}
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata:
  name: {{ .Chart.Name }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "service.labels" . | nindent 4 }}
spec:
  selector:
    matchLabels: {app: {{ .Chart.Name }}}
  mtls: {mode: STRICT}
{{- end }}

{{/* Nothing is allowed to a service until a caller's chart declares the call. */}}
{{- define "service.nobody" -}}
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata:
  name: {{ .Chart.Name }}-nobody
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "service.labels" . | nindent 4 }}
spec:
  selector:
    matchLabels: {app: {{ .Chart.Name }}}
  action: ALLOW
{{- end }}

{{/* NetworkPolicies cannot see who a pod is; the label meshwright.dev/account says the account that it runs as. */}}
{{- define "service.calls" -}}
{{- $root := . }}
{{- range .Values.calls }}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata:
  name: {{ $root.Chart.Name }}-to-{{ .to }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    {{- include "service.labels" $root | nindent 4 }}
spec:
  selector:
    matchLabels: {app: {{ .to }}}
  action: ALLOW
  rules:
    - from:
        - source:
            principals: [{{ include "service.principal" (dict "root" $root "account" $root.Chart.Name) }}]
      to:
        - operation:
            paths:
              {{- include "service.paths" (dict "call" .) | trim | nindent 14 }}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ $root.Chart.Name }}-to-{{ .to }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    {{- include "service.labels" $root | nindent 4 }}
spec:
  podSelector:
    matchLabels: {app: {{ .to }}}
  policyTypes: [Ingress]
  ingress:
    - from:
        - podSelector:
            matchLabels: {meshwright.dev/account: {{ $root.Chart.Name }}}
      ports:
        - {port: {{ include "service.calledPort" . }}}
{{- end }}
{{- range include "service.servers" . | fromYamlArray }}
{{ include "service.toserver" (dict "root" $root "server" .) }}
{{- end }}
{{- end }}

{{/* Servers of this release that are spoken to in TCP: the broker by whoever has `events`, the database by who keeps data there.
Those elsewhere have their own ways to say who may. */}}
{{- define "service.servers" -}}
{{- if and .Values.events .Values.global.eventsUrl }}
- {name: broker, port: 4222}
{{- end }}
{{- if include "service.onpostgres" . }}
- {name: database, port: 5432}
{{- end }}
{{- end }}

{{- define "service.toserver" -}}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata:
  name: {{ .root.Chart.Name }}-to-{{ .server.name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "service.labels" .root | nindent 4 }}
spec:
  selector:
    matchLabels: {app: {{ .server.name }}}
  action: ALLOW
  rules:
    - from:
        - source:
            principals: [{{ include "service.principal" (dict "root" .root "account" .root.Chart.Name) }}]
      to:
        - operation: {ports: [{{ .server.port | quote }}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ .root.Chart.Name }}-to-{{ .server.name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "service.labels" .root | nindent 4 }}
spec:
  podSelector:
    matchLabels: {app: {{ .server.name }}}
  policyTypes: [Ingress]
  ingress:
    - from:
        - podSelector:
            matchLabels: {meshwright.dev/account: {{ .root.Chart.Name }}}
      ports:
        - {port: {{ .server.port }}}
{{- end }}

{{/* The pods' own limits: nobody in but who is declared (and scrapers of the sidecar's metrics), out to DNS, istiod and `calls`. */}}
{{- define "service.networkpolicy" -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ .Chart.Name }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "service.labels" . | nindent 4 }}
spec:
  podSelector:
    matchLabels: {app: {{ .Chart.Name }}}
  policyTypes: [Ingress, Egress]
  ingress:
    - ports:
        - {port: 15020}
        - {port: 15021}
  egress:
    - to:
        - namespaceSelector:
            matchLabels: {kubernetes.io/metadata.name: kube-system}
      ports:
        - {port: 53, protocol: UDP}
        - {port: 53, protocol: TCP}
    - to:
        - namespaceSelector:
            matchLabels: {kubernetes.io/metadata.name: istio-system}
      ports:
        - {port: 15010}
        - {port: 15012}
    {{- range .Values.calls }}
    - to:
        - podSelector:
            matchLabels: {app: {{ .to }}}
      ports:
        - {port: {{ include "service.calledPort" . }}}
    {{- end }}
    {{- range include "service.servers" . | fromYamlArray }}
    - to:
        - podSelector:
            matchLabels: {app: {{ .name }}}
      ports:
        - {port: {{ .port }}}
    {{- end }}
    {{- if .Values.global.otlpEndpoint }}
    {{- $collector := include "service.collector" . | fromYaml }}
    - to:
        - namespaceSelector:
            matchLabels: {kubernetes.io/metadata.name: {{ $collector.namespace }}}
      ports:
        - {port: {{ $collector.port }}}
    {{- end }}
{{- end }}

{{/* Where telemetry goes: global.otlpEndpoint, SERVICE.NAMESPACE:PORT with or without http://, taken apart. */}}
{{- define "service.collector" -}}
{{- $address := splitList ":" (regexReplaceAll "^https?://|/$" .Values.global.otlpEndpoint "") }}
{{- $labels := splitList "." (first $address) }}
namespace: {{ if gt (len $labels) 1 }}{{ index $labels 1 }}{{ else }}{{ .Release.Namespace }}{{ end }}
service: {{ first $labels }}
port: {{ if gt (len $address) 1 }}{{ index $address 1 }}{{ else }}4317{{ end }}
{{- end }}

{{/* A sidecar is told of the services it calls, of its own, and of no other. */}}
{{- define "service.sidecar" -}}
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata:
  name: {{ .Chart.Name }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "service.labels" . | nindent 4 }}
spec:
  workloadSelector:
    labels: {app: {{ .Chart.Name }}}
  outboundTrafficPolicy: {mode: REGISTRY_ONLY}
  egress:
    - hosts:
        - istio-system/*
        - ./{{ include "service.host" . }}
        {{- range .Values.calls }}
        - ./{{ .to }}.{{ $.Release.Namespace }}.svc.cluster.local
        {{- end }}
        {{- range include "service.servers" . | fromYamlArray }}
        - ./{{ .name }}.{{ $.Release.Namespace }}.svc.cluster.local
        {{- end }}
        {{- if .Values.global.otlpEndpoint }}
        {{- $collector := include "service.collector" . | fromYaml }}
        - {{ $collector.namespace }}/{{ $collector.service }}.{{ $collector.namespace }}.svc.cluster.local
        {{- end }}
{{- end }}

{{/*
Tokens of end users, read here: one that is not valid is refused with 401, one of another audience with 403. The headers are set from a
valid token's claims, and taken from every other request, so that nobody outside can say who he is. Keys are given by value; without any
no token is valid: the key in their place has a private half that nobody kept.
*/}}
{{- define "service.tokens" -}}
{{- $tokens := .root.Values.global.tokens }}
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata:
  name: {{ .root.Chart.Name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "service.labels" .root | nindent 4 }}
spec:
  selector:
    matchLabels: {app: {{ .root.Chart.Name }}}
  jwtRules:
    - issuer: {{ $tokens.issuer | quote }}
      audiences: [{{ $tokens.audience | quote }}]
      jwks: {{ $tokens.jwks | default (include "service.nobodysKey" .) | quote }}
      forwardOriginalToken: {{ .forward }}
      {{- if .headers }}
      outputClaimToHeaders:
        {{- range $header, $claim := .headers }}
        - {header: {{ $header }}, claim: {{ $claim }}}
        {{- end }}
      {{- end }}
{{- end }}

{{- define "service.nobodysKey" -}}
{"keys": [{"kty": "EC", "crv": "P-256", "alg": "ES256", "kid": "nobody", "x": "Ut6Rb8B_FoNfwDvftLJAvS6PqtWlvhsnExzhE3Pp43Y", "y": "vOXMibw5W1qyb5Pl0NzwRco6allUWbyEfpT4VdXZqoQ"}]}
{{- end }}
