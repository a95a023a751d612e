{{- define "service.service" -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ .Chart.Name }}
  namespace: {{ .Release.Namespace }}
  labels:
    app: {{ .Chart.Name }}
    {{- include "service.labels" . | nindent 4 }}
spec:
  selector: {app: {{ .Chart.Name }}}
  ports:
    {{- with include "service.protocol" . }}
    - {name: {{ . }}, port: {{ include "service.port" $ }}, targetPort: {{ . }}, protocol: TCP, appProtocol: {{ . }}}
    {{- end }}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ .Chart.Name }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "service.labels" . | nindent 4 }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ .Chart.Name }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "service.labels" . | nindent 4 }}
spec:
  maxUnavailable: 1
  selector:
    matchLabels: {app: {{ .Chart.Name }}}
{{- end }}
