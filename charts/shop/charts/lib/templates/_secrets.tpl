{{/* Secrets: made up once by the chart, fetched by External Secrets, or made by you; as global.secrets.kind says. */}}

{{/* One Secret (root, name, keys), which an external store has below its prefix `at`. */}}
{{- define "secrets.secret" -}}
{{- $secrets := .root.Values.global.secrets }}
{{- if eq $secrets.kind "generated" }}
{{- include "secrets.generated" . }}
{{- else if eq $secrets.kind "external" }}
{{- include "secrets.external" . }}
{{- end }}
{{- end }}

{{/* What the cluster has already stays as it is: an upgrade changes no password. */}}
{{- define "secrets.generated" -}}
{{- $have := dig "data" dict (lookup "v1" "Secret" .root.Release.Namespace .name) -}}
apiVersion: v1
kind: Secret
metadata:
  name: {{ .name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "service.labels" .root | nindent 4 }}
type: Opaque
data:
  {{- range .keys }}
  {{ . }}: {{ get $have . | default (randAlphaNum 32 | b64enc) }}
  {{- end }}
{{- end }}

{{- define "secrets.external" -}}
{{- $secrets := .root.Values.global.secrets -}}
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata:
  name: {{ .name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "service.labels" .root | nindent 4 }}
spec:
  refreshInterval: {{ $secrets.refreshInterval }}
  secretStoreRef:
    kind: {{ $secrets.store.kind }}
    name: {{ $secrets.store.name }}
  target: {name: {{ .name }}, creationPolicy: Owner, deletionPolicy: Retain}
  data:
    {{- range .keys }}
    - secretKey: {{ . }}
      remoteRef: {key: {{ $secrets.prefix }}{{ $.at }}, property: {{ . }}}
    {{- end }}
{{- end }}
