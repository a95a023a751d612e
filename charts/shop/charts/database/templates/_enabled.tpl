{{- define "database.enabled" -}}
{{- if eq .Values.global.database.kind "postgres" }}true{{ end }}
{{- end }}
