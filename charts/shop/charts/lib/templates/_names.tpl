{{/* How things are named and labelled. Each takes the chart's own context. */}}

{{- define "service.host" -}}
{{ .Chart.Name }}.{{ .Release.Namespace }}.svc.cluster.local
{{- end }}

{{- define "service.labels" -}}
app.kubernetes.io/part-of: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{/* The name of one version's Deployment: the service's own while there is only one version. */}}
{{- define "service.workload" -}}
{{- if gt (len .root.Values.versions) 1 }}{{ .root.Chart.Name }}-{{ .version }}{{ else }}{{ .root.Chart.Name }}{{ end -}}
{{- end }}

{{/* The principal of a service account of this release. */}}
{{- define "service.principal" -}}
{{ .root.Values.global.trustDomain }}/ns/{{ .root.Release.Namespace }}/sa/{{ .account }}
{{- end }}

{{/* What a service is spoken to in and on which port: gRPC on 50051, or HTTP on 8080 where its values say `serves: http`. */}}
{{- define "service.protocol" -}}
{{ .Values.serves | default "grpc" }}
{{- end }}

{{- define "service.port" -}}
{{ ternary 8080 50051 (eq (include "service.protocol" .) "http") }}
{{- end }}

{{/* The same of one that is called: a call that names paths is HTTP, one that names methods is gRPC. */}}
{{- define "service.calledPort" -}}
{{ ternary 8080 50051 (hasKey . "paths") }}
{{- end }}

{{/* The paths that a call may use: those it names; or its methods, health, and for the ingress reflection too. */}}
{{- define "service.paths" -}}
{{- range .call.paths }}
- {{ . }}
{{- end }}
{{- if .call.methods }}
{{- include "service.methodPaths" . }}
{{- end }}
{{- end }}

{{- define "service.methodPaths" -}}
{{- range .call.methods }}
- /{{ $.call.service }}/{{ . }}
{{- end }}
- /grpc.health.v1.Health/*
{{- if .call.reflection }}
- /grpc.reflection.v1.ServerReflection/*
- /grpc.reflection.v1alpha.ServerReflection/*
{{- end }}
{{- end }}
