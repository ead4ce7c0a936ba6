{{- define "edge-proxy.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "edge-proxy.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains (include "edge-proxy.name" .) .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "edge-proxy.name" .) | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* Where the probes find it, as its configuration has it: its port, and whether it speaks TLS. */}}
{{- define "edge-proxy.port" -}}
{{- int (dig "server" "port" 8000 .Values.config) }}
{{- end }}

{{- define "edge-proxy.scheme" -}}
{{- ternary "HTTPS" "HTTP" (not (empty (dig "server" "tls" dict .Values.config))) }}
{{- end }}

{{/* Refuses what would render and could not run. */}}
{{- define "edge-proxy.check" -}}
{{- range $name := list "CONFIG_PATH" "PERSISTENCE" }}
{{- if hasKey $.Values.env $name }}
{{- fail (printf "env.%s: the chart sets this; where documents are kept can be said in config.persistence" $name) }}
{{- end }}
{{- end }}
{{- if and .Values.admin.enabled (hasKey .Values.env "ADMIN") }}
{{- fail "env.ADMIN: admin.enabled sets it; an admin.token belongs in config" }}
{{- end }}
{{- if hasKey .Values.env "WEB_CONCURRENCY" }}
{{- fail "env.WEB_CONCURRENCY: set workers instead" }}
{{- end }}
{{- $variable := dict }}
{{- with get .Values.env "SERVER" }}
{{- $variable = fromJson . }}
{{- range $option := list "port" "host" "tls" }}
{{- if hasKey $variable $option }}
{{- fail (printf "env.SERVER: give server.%s in config, where the probes and the service learn of it" $option) }}
{{- end }}
{{- end }}
{{- end }}
{{- $server := mergeOverwrite (deepCopy (dig "server" dict .Values.config)) $variable }}
{{- $host := toString (get $server "host") }}
{{- if or (hasPrefix "127." $host) (has $host (list "localhost" "::1")) }}
{{- fail (printf "config.server.host: nobody but the pod itself reaches %s; leave it out" $host) }}
{{- end }}
{{- if and .Values.admin.enabled (eq (int .Values.admin.port) (int (include "edge-proxy.port" .))) }}
{{- fail "admin.port: config.server.port is the same; give another one" }}
{{- end }}
{{- $stop := get $server "shutdown_timeout_seconds" | default 10 }}
{{- if le (float64 .Values.terminationGracePeriodSeconds) (float64 $stop) }}
{{- fail (printf "terminationGracePeriodSeconds: must be longer than server.shutdown_timeout_seconds (%v)" $stop) }}
{{- end }}
{{- if and .Values.ingress.enabled (empty .Values.ingress.hosts) }}
{{- fail "ingress.hosts: an ingress needs at least one" }}
{{- end }}
{{- end }}

{{- define "edge-proxy.selectorLabels" -}}
app.kubernetes.io/name: {{ include "edge-proxy.name" . }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "edge-proxy.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{ include "edge-proxy.selectorLabels" . }}
{{- end }}
