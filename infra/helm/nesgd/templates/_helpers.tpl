{{- define "nesgd.name" -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "nesgd.labels" -}}
app.kubernetes.io/name: nesgd
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{/* Called with (list . "component"). */}}
{{- define "nesgd.selector" -}}
app.kubernetes.io/name: nesgd
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "nesgd.secretName" -}}
{{- if .Values.existingSecret -}}{{ .Values.existingSecret }}
{{- else -}}{{ include "nesgd.name" . }}
{{- end -}}
{{- end -}}

{{- define "nesgd.brokerHost" -}}
{{- if .Values.broker.external.host -}}{{ .Values.broker.external.host }}
{{- else -}}{{ include "nesgd.name" . }}-broker
{{- end -}}
{{- end -}}

{{- define "nesgd.brokerPort" -}}
{{- if .Values.broker.external.host -}}{{ .Values.broker.external.port }}
{{- else -}}6379
{{- end -}}
{{- end -}}

{{- define "nesgd.usesTls" -}}
{{- if and .Values.broker.external.host .Values.broker.external.tls -}}true{{- end -}}
{{- end -}}

{{- define "nesgd.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag }}
{{- end -}}

{{/* Secret and broker, for coordinator and workers alike. The kubelet puts the password into the URL. */}}
{{- define "nesgd.environment" -}}
- name: NESGD_SECRET
  valueFrom:
    secretKeyRef: { name: {{ include "nesgd.secretName" . }}, key: secret }
- name: BROKER_PASSWORD
  valueFrom:
    secretKeyRef: { name: {{ include "nesgd.secretName" . }}, key: broker-password }
- name: REDIS_URL
  value: {{ printf "%s://%s:$(BROKER_PASSWORD)@%s:%s" (ternary "rediss" "redis" (eq (include "nesgd.usesTls" .) "true")) (ternary .Values.broker.external.username "" (ne .Values.broker.external.host "")) (include "nesgd.brokerHost" .) (include "nesgd.brokerPort" .) | quote }}
{{- end -}}

{{- define "nesgd.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}

{{/* Called with a user id. */}}
{{- define "nesgd.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ . }}
runAsGroup: {{ . }}
fsGroup: {{ . }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{/* The pod of a worker, that of the Deployment and that of the ScaledJob. */}}
{{- define "nesgd.workerPod" -}}
metadata:
  labels:
    {{- include "nesgd.labels" . | nindent 4 }}
    app.kubernetes.io/component: worker
spec:
  automountServiceAccountToken: false
  terminationGracePeriodSeconds: {{ .Values.workers.terminationGracePeriodSeconds }}
  {{- if eq .Values.workers.mode "jobs" }}
  restartPolicy: Never
  {{- end }}
  securityContext: {{- include "nesgd.podSecurity" 10001 | nindent 4 }}
  {{- with .Values.workers.nodeSelector }}
  nodeSelector: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.workers.tolerations }}
  tolerations: {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: worker
      image: {{ .Values.workers.image | default (include "nesgd.image" .) }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args:
        - worker
        {{- if eq .Values.workers.mode "jobs" }}
        - --jobs
        - "1"
        - --idle
        - {{ .Values.workers.idleSeconds | quote }}
        {{- else }}
        - --stay-drained
        {{- end }}
      env:
        {{- include "nesgd.environment" . | nindent 8 }}
        - name: NESGD_COORDINATOR
          value: http://{{ include "nesgd.name" . }}-coordinator:7300
        - name: NESGD_WORKER_NAME
          valueFrom:
            fieldRef: { fieldPath: metadata.name }
        - name: NESGD_HEALTH_FILE
          value: /tmp/nesgd-health.json
        - name: NESGD_CACHE_LIMIT_GB
          value: {{ .Values.workers.cacheLimitGb | quote }}
        {{- if .Values.workers.gpus }}
        - name: NVIDIA_DRIVER_CAPABILITIES
          value: compute,utility
        {{- end }}
      resources:
        {{- with .Values.workers.resources.requests }}
        requests: {{- toYaml . | nindent 10 }}
        {{- end }}
        {{- if or .Values.workers.resources.limits .Values.workers.gpus }}
        limits:
          {{- with .Values.workers.resources.limits }}
          {{- toYaml . | nindent 10 }}
          {{- end }}
          {{- if .Values.workers.gpus }}
          nvidia.com/gpu: {{ .Values.workers.gpus }}
          {{- end }}
        {{- end }}
      securityContext: {{- include "nesgd.containerSecurity" . | nindent 8 }}
      # Ready: broker and trainer answer. Alive: the worker itself does; a pod is not killed because its broker is away.
      readinessProbe:
        exec: { command: [node, apps/worker/dist/health/check.js] }
        periodSeconds: 15
        timeoutSeconds: 10
      livenessProbe:
        exec: { command: [node, apps/worker/dist/health/check.js, --alive] }
        initialDelaySeconds: 30
        periodSeconds: 30
        timeoutSeconds: 10
        failureThreshold: 4
      volumeMounts:
        - { name: cache, mountPath: /var/lib/nesgd/cache }
        - { name: tmp, mountPath: /tmp }
  volumes:
    - name: cache
      emptyDir: {}
    - name: tmp
      emptyDir: {}
{{- end -}}
