"""The `mis` command: every room's commands under one roof."""

from __future__ import annotations

import click

import eligibility.cli
import grievances.cli
import payments.cli
import registry.cli
from mis import audit_cli, bench_cli, db_cli, demo_cli, job_cli, settings, user_cli
from mis.app import configure


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="social-protection-mis")
def main() -> None:
    """The management information system for social protection."""
    try:
        configure(settings.load())
    except settings.NotSettled as error:
        raise click.ClickException(str(error)) from None


for _module in (
    db_cli,
    user_cli,
    registry.cli,
    eligibility.cli,
    payments.cli,
    grievances.cli,
    audit_cli,
    job_cli,
    demo_cli,
    bench_cli,
):
    for _command in _module.commands:
        main.add_command(_command)

if __name__ == "__main__":
    main()
