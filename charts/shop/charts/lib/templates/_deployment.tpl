{{/* One Deployment for each of `versions`. */}}
{{- define "service.deployments" -}}
{{- $root := . -}}
{{- range $version, $own := .Values.versions }}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "service.workload" (dict "root" $root "version" $version) }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    app: {{ $root.Chart.Name }}
    version: {{ $version }}
    {{- include "service.labels" $root | nindent 4 }}
spec:
  replicas: {{ $own.replicas }}
  selector:
    matchLabels: {app: {{ $root.Chart.Name }}, version: {{ $version }}}
  strategy:
    rollingUpdate: {maxUnavailable: 0, maxSurge: 1}
  template:
    metadata:
      labels:
        app: {{ $root.Chart.Name }}
        version: {{ $version }}
        meshwright.dev/account: {{ $root.Chart.Name }}
        sidecar.istio.io/inject: "true"
        {{- include "service.labels" $root | nindent 8 }}
      annotations:
        # The application is asked to start only when its sidecar can carry its calls.
        proxy.istio.io/config: '{"holdApplicationUntilProxyStarts": true}'
    spec:
      serviceAccountName: {{ $root.Chart.Name }}
      terminationGracePeriodSeconds: 30
      securityContext:
        runAsNonRoot: true
        runAsUser: 10001
        runAsGroup: 10001
        fsGroup: 10001
        seccompProfile: {type: RuntimeDefault}
      containers:
        - name: {{ $root.Chart.Name }}
          image: {{ $root.Values.image }}:{{ $root.Values.global.image.tag }}
          imagePullPolicy: {{ $root.Values.global.image.pullPolicy }}
          ports:
            - {name: {{ include "service.protocol" $root }}, containerPort: {{ include "service.port" $root }}, protocol: TCP}
          env:
            {{- include "service.environment" (dict "root" $root "version" $version) | nindent 12 }}
          startupProbe:
            {{- include "service.ready" $root | nindent 12 }}
            periodSeconds: 1
            failureThreshold: 60
          readinessProbe:
            {{- include "service.ready" $root | nindent 12 }}
            periodSeconds: 2
          livenessProbe:
            {{- include "service.alive" $root | nindent 12 }}
            periodSeconds: 10
            failureThreshold: 6
          resources:
            {{- toYaml $root.Values.resources | nindent 12 }}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {drop: [ALL]}
          volumeMounts:
            - {name: data, mountPath: /data}
            - {name: tmp, mountPath: /tmp}
            {{- if include "service.databasesecret" $root }}
            - {name: database, mountPath: /etc/secrets/database, readOnly: true}
            {{- end }}
      volumes:
        - {name: data, emptyDir: {}}
        - {name: tmp, emptyDir: {}}
        {{- with include "service.databasesecret" $root }}
        - {name: database, secret: {secretName: {{ . }}, defaultMode: 0440}}
        {{- end }}
{{- end }}
{{- include "service.ownsecret" . }}
{{- end }}

{{/* The probes' questions: whether calls may be sent to a pod, and whether its process is alive. */}}
{{- define "service.ready" -}}
{{- if eq (include "service.protocol" .) "http" }}httpGet: {port: 8080, path: /readyz}{{ else }}grpc: {port: 50051}{{ end }}
{{- end }}

{{- define "service.alive" -}}
{{- if eq (include "service.protocol" .) "http" }}httpGet: {port: 8080, path: /livez}{{ else }}grpc: {port: 50051, service: liveness}{{ end }}
{{- end }}

{{- define "service.environment" -}}
- {name: HOST, value: "[::]"}
- {name: PORT, value: "{{ include "service.port" .root }}"}
- {name: VERSION, value: {{ .version }}}
- {name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
- {name: DATABASE_URL, value: {{ include "service.databaseurl" .root | quote }}}
{{- with .root.Values.database.migrateTo }}
- {name: MIGRATE_TO, value: {{ . | quote }}}
{{- end }}
{{- with .root.Values.workers }}
- {name: WORKERS, value: {{ . | quote }}}
{{- end }}
- {name: LOG_LEVEL, value: {{ .root.Values.logLevel }}}
- {name: DEVELOPMENT, value: {{ .root.Values.global.development | quote }}}
{{- with .root.Values.global.otlpEndpoint }}
- {name: OTEL_EXPORTER_OTLP_ENDPOINT, value: {{ . | quote }}}
{{- end }}
{{- if and .root.Values.events .root.Values.global.eventsUrl }}
- {name: EVENTS_URL, value: {{ .root.Values.global.eventsUrl | quote }}}
{{- end }}
{{- if and .root.Values.guests .root.Values.global.development }}
- {name: GUESTS, value: "true"}
{{- end }}
{{- with .root.Values.http }}
- {name: REQUEST_SECONDS, value: {{ .requestSeconds | quote }}}
- {name: MAX_BODY_BYTES, value: {{ int .maxBodyBytes | quote }}}
- {name: CORS_ORIGINS, value: {{ join " " .corsOrigins | quote }}}
{{- end }}
{{- range .root.Values.calls }}
- {name: {{ upper .to }}_ADDRESS, value: "{{ .to }}:{{ include "service.calledPort" . }}"}
{{- end }}
{{- end }}
