"""Does with Flagsmith's Python SDK, and with its OpenFeature provider, what standard input says.

Each line is a JSON object: `id`, `do` (the name of a function below) and its arguments. Each is answered by a line of its own
with the same `id`: what came of it as `ok`, or else `error`.
"""

import json
import logging
import sys

from flagsmith import Flagsmith
from flagsmith.analytics import EventProcessorConfig
from openfeature import api
from openfeature.evaluation_context import EvaluationContext
from openfeature_flagsmith import FlagsmithProvider

clients = {}


def open_client(client, key, api_url, local=False, realtime_url=None, refresh_seconds=60, analytics=False, application=None):
    clients[client] = Flagsmith(
        environment_key=key,
        api_url=api_url,
        enable_local_evaluation=local,
        enable_realtime_updates=realtime_url is not None,
        realtime_api_url=realtime_url,
        environment_refresh_interval_seconds=refresh_seconds,
        enable_analytics=analytics,
        application_metadata=application,
    )


def environment_flags(client):
    return shown(clients[client].get_environment_flags())


def identity_flags(client, identifier, traits=None, transient=False):
    return shown(clients[client].get_identity_flags(identifier, traits, transient=transient))


def flags_of_identities(client, identities):
    return [identity_flags(client, **identity) for identity in identities]


def shown(flags):
    return {flag.feature_name: flag_shown(flag) for flag in flags.all_flags()}


def flag_shown(flag):
    experiment = flag.experiment
    return {
        "enabled": flag.enabled,
        "value": flag.value,
        "reason": flag.reason,
        "variant": flag.variant,
        "experiment": experiment and [experiment.id, experiment.name, experiment.in_experiment],
    }


def one_flag(client, feature, identifier=None, traits=None):
    """One flag by its name, which counts for the analytics."""
    sdk = clients[client]
    flags = sdk.get_environment_flags() if identifier is None else sdk.get_identity_flags(identifier, traits)
    return flag_shown(flags.get_flag(feature))


def exposures(client, key, api_url, identifier, features):
    """The exposures that the SDK records where these features are asked for as experiments: feature and variant."""
    nowhere = EventProcessorConfig(events_api_url="http://127.0.0.1:1/", flush_interval_seconds=3600)
    sdk = Flagsmith(environment_key=key, api_url=api_url, enable_events=True, event_processor_config=nowhere)
    for feature in features:
        sdk.get_experiment_flag(feature, identifier)
    recorded = [[event["feature_name"], event["value"]] for event in sdk._event_processor._buffer]
    sdk._event_processor._buffer.clear()
    return recorded


def send_analytics(client):
    """Sends what is counted now, and not after the SDK's ten seconds. It is sent by a thread of the SDK's own."""
    clients[client]._analytics_processor.flush()


def details(client, kind, feature, default, identifier=None, traits=None):
    """What OpenFeature says of a flag; `kind` is `boolean`, `string`, `integer`, `float` or `object`."""
    api.set_provider(FlagsmithProvider(clients[client]), domain=client)
    context = EvaluationContext(targeting_key=identifier, attributes={"traits": traits or {}})
    found = getattr(api.get_client(client), f"get_{kind}_details")(feature, default, context)
    return {
        "value": found.value,
        "reason": str(found.reason),
        "variant": found.variant,
        "error": found.error_code and found.error_code.value,
    }


ACTIONS = {
    "open": open_client,
    "environment_flags": environment_flags,
    "identity_flags": identity_flags,
    "flags_of_identities": flags_of_identities,
    "one_flag": one_flag,
    "exposures": exposures,
    "send_analytics": send_analytics,
    "details": details,
}


def main():
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    for line in sys.stdin:
        command = json.loads(line)
        answer = {"id": command.pop("id")}
        try:
            answer["ok"] = ACTIONS[command.pop("do")](**command)
        except Exception as error:
            answer["error"] = f"{type(error).__name__}: {error}: {error.__cause__}"
        print(json.dumps(answer), flush=True)


main()
