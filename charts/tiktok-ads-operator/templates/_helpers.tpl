{{- /* Name of everything the release owns; part of it in cluster-wide names, so two releases need two names. */ -}}
{{- define "operator.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "operator.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "operator.labels" -}}
{{ include "operator.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "operator.serviceAccountUser" -}}
{{- printf "system:serviceaccount:%s:%s" .Release.Namespace (include "operator.fullname" .) -}}
{{- end -}}

{{- /* The host of publicUrl, without its port: what an Ingress and a certificate name. */ -}}
{{- define "operator.publicHost" -}}
{{- regexReplaceAll ":[0-9]+$" (urlParse .Values.publicUrl).host "" -}}
{{- end -}}

{{- /* All settings of the operator. Nothing else passes any. */ -}}
{{- define "operator.args" -}}
- run
- --platform-url={{ .Values.platform.url }}
- --tier={{ .Values.platform.tier }}
- --sweep-interval={{ .Values.platform.sweepInterval }}
- --install={{ .Values.install | default (printf "%s/%s" .Release.Namespace .Release.Name) }}
- --lease-namespace={{ .Release.Namespace }}
{{- range .Values.watchNamespaces }}
- --watch-namespace={{ . }}
{{- end }}
- --health-addr=0.0.0.0:{{ .Values.health.port }}
{{- if .Values.publicUrl }}
- --public-url={{ .Values.publicUrl }}
- --public-addr=0.0.0.0:{{ .Values.public.port }}
{{- end }}
- --log-format={{ .Values.log.format }}
{{- end -}}
