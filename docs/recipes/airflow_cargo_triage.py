"""Airflow (3.x, with the providers papermill and standard): the Cargo triage every morning.

Two DAGs; take the one that fits.

- `cargo_triage`: one batch for all environments (warm kernels, limits for each host, archive), its summary as a notebook
  by PapermillOperator, and a task that fails when something is broken. Best for many environments.
- `cargo_triage_each`: a PapermillOperator task for each environment, and a task for each that fails when it is broken.
  Best for a few, since each can be cleared and run again by itself.

Airflow's own Python need not have cargo-runbook. The notebooks run in a kernel of the installation below HOME, which
is registered once, for the user that Airflow's workers run as:

    $HOME_OF_RUNBOOK/.venv/bin/python -m ipykernel install --user --name cargo-runbook \
        --env CARGO_RUNBOOK_INVENTORY /srv/runbook/environments --env CARGO_RUNBOOK_REPORTS /srv/runbook/reports

Exit codes of the commands: 0 healthy, 1 a fault, 2 wrong usage or configuration, 3 could not tell.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from airflow.providers.papermill.operators.papermill import PapermillOperator
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

HOME = "/srv/runbook"
ENVIRONMENTS = ("prod-1", "prod-2")
KERNEL = {"kernel_name": "cargo-runbook", "language_name": "python"}
BATCH = "{{ ti.xcom_pull(task_ids='triage')['batch'] }}"
COMMAND = f"cd {HOME} && .venv/bin/cargo-runbook"
DAILY = {
    "schedule": "15 6 * * *",
    "start_date": datetime(2026, 1, 1, tzinfo=UTC),
    "catchup": False,
    # Two at the same time would ask the same hosts.
    "max_active_runs": 1,
}

with DAG("cargo_triage", **DAILY):
    triage = BashOperator(
        task_id="triage",
        # A fault (1), or that something could not be told (3), is for the last task to say: the summary comes before it.
        bash_command=(
            f"{COMMAND} batch 00_triage --env 'prod-*' --deadline 3000 --json;"
            " code=$?; [ $code = 1 ] || [ $code = 3 ] || exit $code"
        ),
        # The last line says which batch it was.
        output_processor=json.loads,
        execution_timeout=timedelta(minutes=55),
    )
    summary = PapermillOperator(
        task_id="summary",
        input_nb=f"{HOME}/runbooks/95_batch_summary.ipynb",
        output_nb=f"{HOME}/out/summary-{{{{ ds }}}}.ipynb",
        parameters={"batch": BATCH},
        **KERNEL,
    )
    verdict = BashOperator(task_id="verdict", bash_command=f"{COMMAND} summary {BATCH}")
    triage >> summary >> verdict

with DAG("cargo_triage_each", **DAILY):
    each = PapermillOperator.partial(
        task_id="triage",
        input_nb=f"{HOME}/runbooks/00_triage.ipynb",
        execution_timeout=timedelta(minutes=30),
        max_active_tis_per_dag=4,
        **KERNEL,
    ).expand_kwargs(
        [
            {"output_nb": f"{HOME}/out/{name}-{{{{ ds }}}}.ipynb", "parameters": {"environment": name}}
            for name in ENVIRONMENTS
        ]
    )
    # The notebook seals a record of its own; the sealed evidence is judged once more, and the exit code is the verdict.
    # "all_done": also when the notebook broke off, where the record of before must not speak for today.
    judged = BashOperator.partial(
        task_id="verdict",
        bash_command=(
            f'{COMMAND} diagnose --from "$({COMMAND} records list --env $ENVIRONMENT --since 1h --limit 1 --json'
            ' | python3 -c \'import json, sys; print(json.load(sys.stdin)[-1]["record"])\')"'
        ),
        append_env=True,
    ).expand(env=[{"ENVIRONMENT": name} for name in ENVIRONMENTS])
    each >> judged
