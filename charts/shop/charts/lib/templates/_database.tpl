{{/* Where a service keeps its data: `database.url`, or what global.database.kind says. Passwords are in Secrets, mounted as files. */}}

{{- define "service.onpostgres" -}}
{{- if and .Values.database (not .Values.database.url) (eq .Values.global.database.kind "postgres") }}true{{ end }}
{{- end }}

{{- define "service.databaseurl" -}}
{{- $password := ternary "?password_file=/etc/secrets/database/password" "" (ne (include "service.databasesecret" .) "") -}}
{{- if .Values.database.url -}}
{{ .Values.database.url }}{{ $password }}
{{- else if include "service.onpostgres" . -}}
postgresql+asyncpg://{{ .Chart.Name }}@database:5432/{{ .Chart.Name }}{{ $password }}
{{- else -}}
sqlite+aiosqlite:////data/{{ .Chart.Name }}.db
{{- end -}}
{{- end }}

{{/* The Secret whose `password` is the one of its role; none for SQLite. */}}
{{- define "service.databasesecret" -}}
{{- if .Values.database.secret -}}
{{ .Values.database.secret }}
{{- else if include "service.onpostgres" . -}}
database-{{ .Chart.Name }}
{{- end -}}
{{- end }}

{{/* That Secret, unless it is one of yours. */}}
{{- define "service.ownsecret" -}}
{{- if and (include "service.onpostgres" .) (not .Values.database.secret) }}
---
{{ include "secrets.secret" (dict "root" . "name" (include "service.databasesecret" .) "keys" (list "password") "at" (printf "%s/database" .Chart.Name)) }}
{{- end }}
{{- end }}
