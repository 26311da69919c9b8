"""create_app(): the only module that knows every package."""

from __future__ import annotations

from flask import Flask
from flask_login import LoginManager, current_user
from werkzeug.middleware.proxy_fix import ProxyFix

import eligibility.views
import grievances.views
import payments.views
import registry.views
from mis import access, jobs, logs, sealed
from mis import settings as configuration
from mis.accounts import roles, sessions
from mis.accounts import views as account_views
from mis.audit_views import blueprint as audit_blueprint
from mis.calendar import today
from mis.db import db
from mis.dispatch import Application, check_declarations
from mis.job_views import blueprint as job_blueprint
from mis.settings import Settings
from mis.web import desk, export, i18n, problems, security, shell
from mis.web import views as web_views
from mis.worker_bell import ring

BLUEPRINTS = (
    web_views.blueprint,
    export.blueprint,
    account_views.blueprint,
    registry.views.blueprint,
    eligibility.views.blueprint,
    payments.views.blueprint,
    grievances.views.blueprint,
    audit_blueprint,
    job_blueprint,
)


def configure(settings: Settings) -> None:
    """Prepare this process, without the web: the database, the keys, the bell of the jobs."""
    # Read before anything is done: a process with half of its settings would work on one database with another's keys.
    url, keys = settings.effective_database_url, settings.effective_sealing_keys
    logs.configure(production=settings.production)
    db.configure(url, role=settings.database_role)
    sealed.configure(keys)
    configuration.use(settings)
    # Tests run their jobs themselves, when they want to see them run.
    bell = None if settings.environment == "test" else ring
    jobs.install(
        bell,
        lease_seconds=settings.job_lease_seconds,
        chunk_rows=settings.job_chunk_rows,
        grants_of=lambda user_id: roles.grants_of(user_id, today()),
    )


def create_app(settings: Settings | None = None) -> Flask:
    """The web application with all its rooms, its process configured."""
    settings = settings or configuration.load()
    configure(settings)
    app = Application("mis", static_folder="web/static", template_folder="web/templates")
    app.secret_key = settings.effective_secret_key
    if count := settings.trusted_proxies:
        # Without it everybody comes from the proxy's address, and all count as one where tries are counted.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]
    app.config["TESTING"] = settings.environment == "test"
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    security.init_app(app, settings)
    problems.init_app(app)
    i18n.init_app(app, preference=lambda: getattr(current_user, "locale", None))
    _sign_in(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    check_declarations(app)
    shell.init_app(
        app,
        may=access.may,
        waiting=desk.waiting_count,
        user_name=lambda: current_user.name if current_user.is_authenticated else None,
    )
    if settings.production:
        security.serve_files(app)
    return app


def _sign_in(app: Flask) -> None:
    manager = LoginManager(app)
    manager.session_protection = (
        None  # The nonce in the cookie ends old sessions; addresses of phones change all day.
    )
    manager.user_loader(sessions.load_user)
