"""The house is laid: accounts, registry, eligibility, payments, grievances, and the promises they stand on."""

import sqlalchemy as sa
from alembic import op

from mis import access, audit, temporal
from mis.db import Instant, Json, Key

revision = "0001"
down_revision = None

APPEND_ONLY = (
    "audit_entry",
    "audit_leaves",
    "audit_seal",
    "case_note",
    "determination",
    "payment_event",
    "state_change",
)
IN_AREA = (
    "determination",
    "enrolment",
    "entitlement",
    "grievance",
    "hold",
    "household",
    "not_paid",
    "payment",
    "person",
)
KEPT = (
    ("rule_set", ("scheme_id", "number", "document", "digest", "valid_from"), "published"),
    (
        "payment",
        (
            "id",
            "batch_id",
            "cycle_id",
            "entitlement_id",
            "person_id",
            "account_id",
            "attempt",
            "amount_minor",
            "currency",
            "end_to_end_id",
            "payee_name",
        ),
        None,
    ),
)


def upgrade() -> None:
    """Make every table, then teach the database what it must never allow."""
    _make_tables()
    dialect = op.get_context().dialect.name
    for table in APPEND_ONLY:
        _do(audit.append_only_ddl(table, dialect))
    for table, columns, status in KEPT:
        _do(audit.immutable_columns_ddl(table, columns, dialect, status=status))
    _do(temporal.no_two_in_force_ddl("rule_set", ("scheme_id",), dialect, only={"status": ("published",)}))
    if dialect == "postgresql":
        # Payments and their events point at each other; SQLite took this key with the table.
        op.create_foreign_key(
            "fk_payment_released_by_event_id", "payment", "payment_event", ["released_by_event_id"], ["id"]
        )
        for table in IN_AREA:
            _do(access.wall_ddl(table))


def downgrade() -> None:
    """Take the house down again."""
    dialect = op.get_context().dialect.name
    if dialect == "postgresql":
        op.drop_constraint("fk_payment_released_by_event_id", "payment")
        for table in IN_AREA:
            _do(access.drop_wall_ddl(table))
    _do(temporal.drop_no_two_in_force_ddl("rule_set", dialect))
    for table, _columns, _status in KEPT:
        _do(audit.drop_immutable_columns_ddl(table, dialect))
    for table in APPEND_ONLY:
        _do(audit.drop_append_only_ddl(table, dialect))
    _drop_tables()


def _do(statements: list[str]) -> None:
    for statement in statements:
        op.execute(statement)


def _make_tables() -> None:
    op.create_table(
        "app_user",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("staff_number", sa.Text(), nullable=True),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("password_changed_at", Instant(), nullable=True),
        sa.Column("must_change_password", sa.Boolean(), nullable=False),
        sa.Column("totp_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("totp_confirmed_at", Instant(), nullable=True),
        sa.Column("totp_last_step", Key, nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=True),
        sa.Column("last_signed_in_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_app_user")),
        sa.UniqueConstraint("nonce", name=op.f("uq_app_user_nonce")),
        sa.UniqueConstraint("uid", name=op.f("uq_app_user_uid")),
        sa.UniqueConstraint("username", name=op.f("uq_app_user_username")),
    )
    op.create_index(op.f("ix_app_user_staff_number"), "app_user", ["staff_number"], unique=False)
    op.create_table(
        "area",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("level", Key, nullable=False),
        sa.Column("parent_id", Key, nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.CheckConstraint("parent_id <> id", name=op.f("an_area_is_not_its_own_parent")),
        sa.ForeignKeyConstraint(["parent_id"], ["area.id"], name=op.f("fk_area_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_area")),
        sa.UniqueConstraint("code", name=op.f("uq_area_code")),
    )
    op.create_index(op.f("ix_area_parent_id"), "area", ["parent_id"], unique=False)
    op.create_table(
        "audit_entry",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("user_id", Key, nullable=True),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("via", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject_type", sa.Text(), nullable=True),
        sa.Column("subject_id", sa.Text(), nullable=True),
        sa.Column("area_id", Key, nullable=True),
        sa.Column("changes", Json, nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("details", Json, nullable=False),
        sa.Column("row_count", Key, nullable=True),
        sa.Column("rows", Json, nullable=False),
        sa.Column("rows_digest", sa.Text(), nullable=True),
        sa.Column("mac", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
    )
    op.create_index(
        "ix_audit_entry_subject", "audit_entry", ["subject_type", "subject_id", "id"], unique=False
    )
    op.create_index("ix_audit_entry_user_id", "audit_entry", ["user_id", "id"], unique=False)
    op.create_table(
        "audit_seal",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("first_entry_id", Key, nullable=False),
        sa.Column("last_entry_id", Key, nullable=False),
        sa.Column("entry_count", Key, nullable=False),
        sa.Column("entry_ids", sa.LargeBinary(), nullable=False),
        sa.Column("leaves", sa.LargeBinary(), nullable=False),
        sa.Column("merkle_root", sa.LargeBinary(), nullable=False),
        sa.Column("previous_head", sa.LargeBinary(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_seal")),
        sa.UniqueConstraint("head", name=op.f("uq_audit_seal_head")),
    )
    op.create_index(op.f("ix_audit_seal_first_entry_id"), "audit_seal", ["first_entry_id"], unique=False)
    op.create_table(
        "job",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("payload", Json, nullable=False),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created_by", Key, nullable=True),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("actor_person", sa.Text(), nullable=False),
        sa.Column("permission", sa.Text(), nullable=False),
        sa.Column("areas", Json, nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("rung_at", Instant(), nullable=True),
        sa.Column("started_at", Instant(), nullable=True),
        sa.Column("resumed_at", Instant(), nullable=True),
        sa.Column("planned_at", Instant(), nullable=True),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("heartbeat_at", Instant(), nullable=True),
        sa.Column("lease_until", Instant(), nullable=True),
        sa.Column("attempt", Key, nullable=False),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("cancelled_by", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("result", Json, nullable=True),
        sa.CheckConstraint(
            "(status IN ('done', 'failed', 'cancelled')) = (finished_at IS NOT NULL)",
            name=op.f("ended_job_says_when"),
        ),
        sa.CheckConstraint(
            "status IN ('queued', 'running', 'done', 'failed', 'cancelled')", name=op.f("job_status_is_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
    )
    op.create_index(op.f("ix_job_created_by"), "job", ["created_by"], unique=False)
    op.create_index(
        "live_jobs",
        "job",
        ["status"],
        unique=False,
        sqlite_where=sa.text("status IN ('queued', 'running')"),
        postgresql_where=sa.text("status IN ('queued', 'running')"),
    )
    op.create_index(
        "one_live_job_per_subject",
        "job",
        ["kind", "subject"],
        unique=True,
        sqlite_where=sa.text("status IN ('queued', 'running')"),
        postgresql_where=sa.text("status IN ('queued', 'running')"),
    )
    op.create_table(
        "public_try",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("address_blind", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_public_try")),
    )
    op.create_index("ix_public_try_counted", "public_try", ["kind", "address_blind", "at"], unique=False)
    op.create_table(
        "scheme",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("branch", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("legal_basis", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.CheckConstraint("length(currency) = 3", name=op.f("a_currency_is_three_letters")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scheme")),
        sa.UniqueConstraint("code", name=op.f("uq_scheme_code")),
    )
    op.create_table(
        "sign_in_attempt",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("succeeded", sa.Boolean(), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_attempt")),
    )
    op.create_index("ix_sign_in_attempt_username_at", "sign_in_attempt", ["username", "at"], unique=False)
    op.create_table(
        "state_change",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("record_type", sa.Text(), nullable=False),
        sa.Column("record_id", Key, nullable=False),
        sa.Column("round", Key, nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("target", sa.Text(), nullable=True),
        sa.Column("user_id", Key, nullable=True),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("digest", sa.Text(), nullable=True),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_state_change")),
    )
    op.create_index(
        "ix_state_change_record", "state_change", ["record_type", "record_id", "round"], unique=False
    )
    op.create_table(
        "area_closure",
        sa.Column("ancestor_id", Key, nullable=False),
        sa.Column("descendant_id", Key, nullable=False),
        sa.Column("depth", Key, nullable=False),
        sa.ForeignKeyConstraint(["ancestor_id"], ["area.id"], name=op.f("fk_area_closure_ancestor_id")),
        sa.ForeignKeyConstraint(["descendant_id"], ["area.id"], name=op.f("fk_area_closure_descendant_id")),
        sa.PrimaryKeyConstraint("ancestor_id", "descendant_id", name=op.f("pk_area_closure")),
    )
    op.create_index(op.f("ix_area_closure_descendant_id"), "area_closure", ["descendant_id"], unique=False)
    op.create_table(
        "audit_leaves",
        sa.Column("entry_id", Key, nullable=False),
        sa.Column("ordinal", Key, autoincrement=False, nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["audit_entry.id"], name=op.f("fk_audit_leaves_entry_id")),
        sa.PrimaryKeyConstraint("entry_id", "ordinal", name=op.f("pk_audit_leaves")),
    )
    op.create_table(
        "audit_unsealed",
        sa.Column("entry_id", Key, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["audit_entry.id"], name=op.f("fk_audit_unsealed_entry_id")),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_audit_unsealed")),
    )
    op.create_table(
        "cycle",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("scheme_id", Key, nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("opened_by_id", Key, nullable=True),
        sa.Column("submitted_by_id", Key, nullable=True),
        sa.Column("approved_by_id", Key, nullable=True),
        sa.Column("approved_at", Instant(), nullable=True),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("version", Key, nullable=False),
        sa.Column("round", Key, nullable=False),
        sa.CheckConstraint(
            "approved_by_id <> submitted_by_id", name=op.f("a_cycle_is_approved_by_a_second_person")
        ),
        sa.ForeignKeyConstraint(["approved_by_id"], ["app_user.id"], name=op.f("fk_cycle_approved_by_id")),
        sa.ForeignKeyConstraint(["opened_by_id"], ["app_user.id"], name=op.f("fk_cycle_opened_by_id")),
        sa.ForeignKeyConstraint(["scheme_id"], ["scheme.id"], name=op.f("fk_cycle_scheme_id")),
        sa.ForeignKeyConstraint(["submitted_by_id"], ["app_user.id"], name=op.f("fk_cycle_submitted_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cycle")),
    )
    op.create_index(op.f("ix_cycle_status"), "cycle", ["status"], unique=False)
    op.create_index(
        "one_cycle_per_scheme_and_month",
        "cycle",
        ["scheme_id", "month"],
        unique=True,
        sqlite_where=sa.text("status <> 'aborted'"),
        postgresql_where=sa.text("status <> 'aborted'"),
    )
    op.create_table(
        "import_batch",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("file_sha256", sa.Text(), nullable=False),
        sa.Column("file_path", sa.Text(), nullable=False),
        sa.Column("mapping_name", sa.Text(), nullable=False),
        sa.Column("mapping_text", sa.Text(), nullable=False),
        sa.Column("mapping_sha256", sa.Text(), nullable=False),
        sa.Column("area_id", Key, nullable=True),
        sa.Column("reference_date", sa.Date(), nullable=True),
        sa.Column("rows_read", Key, nullable=False),
        sa.Column("rows_accepted", Key, nullable=False),
        sa.Column("rows_refused", Key, nullable=False),
        sa.Column("rows_unchanged", Key, nullable=False),
        sa.Column("content_digest", sa.Text(), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("created_by_id", Key, nullable=True),
        sa.Column("accepted_by_id", Key, nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("version", Key, nullable=False),
        sa.Column("round", Key, nullable=False),
        sa.CheckConstraint(
            "accepted_by_id <> created_by_id", name=op.f("a_batch_is_accepted_by_a_second_person")
        ),
        sa.ForeignKeyConstraint(
            ["accepted_by_id"], ["app_user.id"], name=op.f("fk_import_batch_accepted_by_id")
        ),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name=op.f("fk_import_batch_area_id")),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["app_user.id"], name=op.f("fk_import_batch_created_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_batch")),
    )
    op.create_index(op.f("ix_import_batch_status"), "import_batch", ["status"], unique=False)
    op.create_index(
        "one_batch_per_file_and_mapping",
        "import_batch",
        ["file_sha256", "mapping_sha256"],
        unique=True,
        sqlite_where=sa.text("status NOT IN ('rejected', 'failed')"),
        postgresql_where=sa.text("status NOT IN ('rejected', 'failed')"),
    )
    op.create_table(
        "job_chunk",
        sa.Column("job_id", Key, nullable=False),
        sa.Column("no", Key, autoincrement=False, nullable=False),
        sa.Column("low", Key, nullable=False),
        sa.Column("high", Key, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=True),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("lease_until", Instant(), nullable=True),
        sa.Column("attempt", Key, nullable=False),
        sa.Column("done_at", Instant(), nullable=True),
        sa.Column("rows", Key, nullable=False),
        sa.Column("result", Json, nullable=True),
        sa.CheckConstraint("(status = 'done') = (done_at IS NOT NULL)", name=op.f("done_chunk_says_when")),
        sa.CheckConstraint(
            "status <> 'claimed' OR token IS NOT NULL", name=op.f("claimed_chunk_has_a_holder")
        ),
        sa.CheckConstraint("status IN ('waiting', 'claimed', 'done')", name=op.f("chunk_status_is_known")),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_job_chunk_job_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_id", "no", name=op.f("pk_job_chunk")),
    )
    op.create_index(
        "undone_chunks",
        "job_chunk",
        ["job_id", "no"],
        unique=False,
        sqlite_where=sa.text("status <> 'done'"),
        postgresql_where=sa.text("status <> 'done'"),
    )
    op.create_table(
        "recovery_code",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("user_id", Key, nullable=False),
        sa.Column("code_hash", sa.Text(), nullable=False),
        sa.Column("used_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_recovery_code_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_code")),
    )
    op.create_index(op.f("ix_recovery_code_user_id"), "recovery_code", ["user_id"], unique=False)
    op.create_table(
        "role_assignment",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("user_id", Key, nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("area_id", Key, nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("assigned_by_id", Key, nullable=True),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name=op.f("fk_role_assignment_area_id")),
        sa.ForeignKeyConstraint(
            ["assigned_by_id"], ["app_user.id"], name=op.f("fk_role_assignment_assigned_by_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_role_assignment_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role_assignment")),
        sa.UniqueConstraint("user_id", "role", "area_id", name="one_assignment_of_a_role_per_area"),
    )
    op.create_index(
        "one_assignment_of_a_role_to_the_whole_country",
        "role_assignment",
        ["user_id", "role"],
        unique=True,
        sqlite_where=sa.text("area_id IS NULL"),
        postgresql_where=sa.text("area_id IS NULL"),
    )
    op.create_table(
        "rule_set",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("scheme_id", Key, nullable=False),
        sa.Column("number", Key, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("drafted_by_id", Key, nullable=True),
        sa.Column("submitted_by_id", Key, nullable=True),
        sa.Column("published_by_id", Key, nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("version", Key, nullable=False),
        sa.Column("round", Key, nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "published_by_id <> submitted_by_id", name=op.f("rules_are_published_by_a_second_person")
        ),
        sa.CheckConstraint("valid_to > valid_from", name=op.f("rules_end_after_they_began")),
        sa.ForeignKeyConstraint(["drafted_by_id"], ["app_user.id"], name=op.f("fk_rule_set_drafted_by_id")),
        sa.ForeignKeyConstraint(
            ["published_by_id"], ["app_user.id"], name=op.f("fk_rule_set_published_by_id")
        ),
        sa.ForeignKeyConstraint(["scheme_id"], ["scheme.id"], name=op.f("fk_rule_set_scheme_id")),
        sa.ForeignKeyConstraint(
            ["submitted_by_id"], ["app_user.id"], name=op.f("fk_rule_set_submitted_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_set")),
        sa.UniqueConstraint("scheme_id", "number", name=op.f("uq_rule_set_scheme_id_number")),
    )
    op.create_index(op.f("ix_rule_set_status"), "rule_set", ["status"], unique=False)
    op.create_table(
        "saved_filter",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("user_id", Key, nullable=False),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("query", Json, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_saved_filter_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_filter")),
        sa.UniqueConstraint(
            "user_id", "endpoint", "name", name=op.f("uq_saved_filter_user_id_endpoint_name")
        ),
    )
    op.create_table(
        "answer_file",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("cycle_id", Key, nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("received_by_id", Key, nullable=True),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("job_id", Key, nullable=True),
        sa.Column("counts", Json, nullable=True),
        sa.Column("findings", Json, nullable=True),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name=op.f("fk_answer_file_cycle_id")),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_answer_file_job_id")),
        sa.ForeignKeyConstraint(
            ["received_by_id"], ["app_user.id"], name=op.f("fk_answer_file_received_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer_file")),
        sa.UniqueConstraint("cycle_id", "sha256", name=op.f("uq_answer_file_cycle_id_sha256")),
    )
    op.create_table(
        "assessment_run",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("scheme_id", Key, nullable=False),
        sa.Column("rule_set_id", Key, nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("job_id", Key, nullable=True),
        sa.Column("asked_by_id", Key, nullable=True),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.Column("counts", Json, nullable=True),
        sa.ForeignKeyConstraint(["asked_by_id"], ["app_user.id"], name=op.f("fk_assessment_run_asked_by_id")),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_assessment_run_job_id")),
        sa.ForeignKeyConstraint(["rule_set_id"], ["rule_set.id"], name=op.f("fk_assessment_run_rule_set_id")),
        sa.ForeignKeyConstraint(["scheme_id"], ["scheme.id"], name=op.f("fk_assessment_run_scheme_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assessment_run")),
    )
    op.create_index(op.f("ix_assessment_run_scheme_id"), "assessment_run", ["scheme_id"], unique=False)
    op.create_table(
        "cycle_total",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("cycle_id", Key, nullable=False),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("count", Key, nullable=False),
        sa.Column("total_minor", Key, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name=op.f("fk_cycle_total_cycle_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cycle_total")),
        sa.UniqueConstraint("cycle_id", "measure", name=op.f("uq_cycle_total_cycle_id_measure")),
    )
    op.create_table(
        "household",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("attributes", Json, nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("external_key", sa.Text(), nullable=True),
        sa.Column("import_batch_id", Key, nullable=True),
        sa.Column("import_row_no", Key, nullable=True),
        sa.Column("registered_at", Instant(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.Column("version", Key, nullable=False),
        sa.Column("area_id", Key, nullable=False),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name=op.f("fk_household_area_id")),
        sa.ForeignKeyConstraint(
            ["import_batch_id"], ["import_batch.id"], name=op.f("fk_household_import_batch_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_household")),
    )
    op.create_index(op.f("ix_household_area_id"), "household", ["area_id"], unique=False)
    op.create_index(
        "ix_household_import_row", "household", ["import_batch_id", "import_row_no"], unique=False
    )
    op.create_index("one_household_per_external_key", "household", ["source", "external_key"], unique=True)
    op.create_table(
        "import_number",
        sa.Column("batch_id", Key, nullable=False),
        sa.Column("row_no", Key, nullable=False),
        sa.Column("no", Key, nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("number_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("number_blind", sa.Text(), nullable=False),
        sa.Column("number_hint", sa.Text(), nullable=False),
        sa.CheckConstraint("what IN ('identity', 'phone')", name=op.f("a_number_is_identity_or_phone")),
        sa.ForeignKeyConstraint(["batch_id"], ["import_batch.id"], name=op.f("fk_import_number_batch_id")),
        sa.PrimaryKeyConstraint("batch_id", "row_no", "no", name=op.f("pk_import_number")),
    )
    op.create_table(
        "import_row",
        sa.Column("batch_id", Key, nullable=False),
        sa.Column("row_no", Key, nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason_code", sa.Text(), nullable=True),
        sa.Column("problems", Json, nullable=False),
        sa.Column("raw", Json, nullable=False),
        sa.Column("household_key", sa.Text(), nullable=True),
        sa.Column("person_key", sa.Text(), nullable=True),
        sa.Column("area_code", sa.Text(), nullable=True),
        sa.Column("area_name", sa.Text(), nullable=True),
        sa.Column("household", Json, nullable=True),
        sa.Column("person", Json, nullable=True),
        sa.Column("content_digest", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "outcome IN ('accepted', 'refused', 'unchanged')", name=op.f("each_row_has_an_outcome")
        ),
        sa.ForeignKeyConstraint(["batch_id"], ["import_batch.id"], name=op.f("fk_import_row_batch_id")),
        sa.PrimaryKeyConstraint("batch_id", "row_no", name=op.f("pk_import_row")),
    )
    op.create_index(
        "ix_import_row_batch_outcome", "import_row", ["batch_id", "outcome", "row_no"], unique=False
    )
    op.create_index("ix_import_row_household_key", "import_row", ["batch_id", "household_key"], unique=False)
    op.create_index("ix_import_row_person_key", "import_row", ["batch_id", "person_key"], unique=False)
    op.create_table(
        "payment_batch",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("cycle_id", Key, nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("frozen_at", Instant(), nullable=False),
        sa.Column("header", Json, nullable=False),
        sa.Column("count", Key, nullable=True),
        sa.Column("total_minor", Key, nullable=True),
        sa.Column("list_digest", sa.Text(), nullable=True),
        sa.Column("pain001_sha256", sa.Text(), nullable=True),
        sa.Column("csv_sha256", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name=op.f("fk_payment_batch_cycle_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_batch")),
        sa.UniqueConstraint("cycle_id", name=op.f("uq_payment_batch_cycle_id")),
        sa.UniqueConstraint("message_id", name=op.f("uq_payment_batch_message_id")),
    )
    op.create_table(
        "person",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("given_name", sa.Text(), nullable=True),
        sa.Column("family_name", sa.Text(), nullable=True),
        sa.Column("other_names", sa.Text(), nullable=True),
        sa.Column("search_name", sa.Text(), nullable=False),
        sa.Column("sex", sa.Text(), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("birth_precision", sa.Text(), nullable=True),
        sa.Column("death_date", sa.Date(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("attributes", Json, nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("external_key", sa.Text(), nullable=True),
        sa.Column("import_batch_id", Key, nullable=True),
        sa.Column("import_row_no", Key, nullable=True),
        sa.Column("registered_at", Instant(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.Column("version", Key, nullable=False),
        sa.Column("area_id", Key, nullable=False),
        sa.CheckConstraint(
            "birth_precision IN ('day', 'month', 'year')", name=op.f("a_birth_date_has_a_precision")
        ),
        sa.CheckConstraint("sex IN ('female', 'male', 'unknown')", name=op.f("a_sex_is_known_by_its_code")),
        sa.CheckConstraint(
            "(birth_date IS NULL) = (birth_precision IS NULL)",
            name=op.f("precision_goes_with_the_birth_date"),
        ),
        sa.CheckConstraint("death_date >= birth_date", name=op.f("nobody_dies_before_birth")),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name=op.f("fk_person_area_id")),
        sa.ForeignKeyConstraint(
            ["import_batch_id"], ["import_batch.id"], name=op.f("fk_person_import_batch_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
    )
    op.create_index(op.f("ix_person_area_id"), "person", ["area_id"], unique=False)
    op.create_index("ix_person_birth_date", "person", ["birth_date"], unique=False)
    op.create_index("ix_person_import_row", "person", ["import_batch_id", "import_row_no"], unique=False)
    op.create_index("ix_person_search_name", "person", ["search_name"], unique=False)
    op.create_index("one_person_per_external_key", "person", ["source", "external_key"], unique=True)
    op.create_table(
        "determination",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("run_id", Key, nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("household_id", Key, nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("fail_mask", Key, nullable=False),
        sa.Column("unknown_mask", Key, nullable=False),
        sa.Column("amount_minor", Key, nullable=True),
        sa.Column("facts", Json, nullable=False),
        sa.Column("area_id", Key, nullable=False),
        sa.CheckConstraint(
            "(amount_minor IS NOT NULL) = (outcome = 'eligible')",
            name=op.f("only_the_eligible_have_an_amount"),
        ),
        sa.CheckConstraint(
            "outcome IN ('eligible', 'not_eligible', 'undetermined')",
            name=op.f("a_determination_has_an_outcome"),
        ),
        sa.CheckConstraint("amount_minor >= 0", name=op.f("an_amount_is_not_negative")),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name=op.f("fk_determination_area_id")),
        sa.ForeignKeyConstraint(
            ["household_id"], ["household.id"], name=op.f("fk_determination_household_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_determination_person_id")),
        sa.ForeignKeyConstraint(["run_id"], ["assessment_run.id"], name=op.f("fk_determination_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_determination")),
    )
    op.create_index(op.f("ix_determination_area_id"), "determination", ["area_id"], unique=False)
    op.create_index("ix_determination_person_id", "determination", ["person_id"], unique=False)
    op.create_index("ix_determination_run_outcome", "determination", ["run_id", "outcome"], unique=False)
    op.create_index(
        "one_determination_per_person_and_run", "determination", ["run_id", "person_id"], unique=True
    )
    op.create_table(
        "identity_number",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("number_blind", sa.Text(), nullable=False),
        sa.Column("number_hint", sa.Text(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_identity_number_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_number")),
        sa.UniqueConstraint("uid", name=op.f("uq_identity_number_uid")),
    )
    op.create_index(op.f("ix_identity_number_person_id"), "identity_number", ["person_id"], unique=False)
    op.create_index(
        "one_live_holder_per_identity_number",
        "identity_number",
        ["kind", "number_blind"],
        unique=True,
        sqlite_where=sa.text("live"),
        postgresql_where=sa.text("live"),
    )
    op.create_table(
        "membership",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("household_id", Key, nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("relationship", sa.Text(), nullable=False),
        sa.Column("collector", sa.Text(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "collector IN ('primary', 'alternate')", name=op.f("a_collector_is_primary_or_alternate")
        ),
        sa.CheckConstraint("valid_to > valid_from", name=op.f("a_membership_ends_after_it_began")),
        sa.ForeignKeyConstraint(["household_id"], ["household.id"], name=op.f("fk_membership_household_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_membership_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_membership")),
    )
    op.create_index("ix_membership_household_id", "membership", ["household_id"], unique=False)
    op.create_index(
        "one_head_per_household",
        "membership",
        ["household_id"],
        unique=True,
        sqlite_where=sa.text("valid_to IS NULL AND relationship = 'head'"),
        postgresql_where=sa.text("valid_to IS NULL AND relationship = 'head'"),
    )
    op.create_index(
        "one_household_per_person_at_a_time",
        "membership",
        ["person_id"],
        unique=True,
        sqlite_where=sa.text("valid_to IS NULL"),
        postgresql_where=sa.text("valid_to IS NULL"),
    )
    op.create_index(
        "one_primary_collector_per_household",
        "membership",
        ["household_id"],
        unique=True,
        sqlite_where=sa.text("valid_to IS NULL AND collector = 'primary'"),
        postgresql_where=sa.text("valid_to IS NULL AND collector = 'primary'"),
    )
    op.create_table(
        "payment_account",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("institution", sa.Text(), nullable=True),
        sa.Column("number_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("number_blind", sa.Text(), nullable=True),
        sa.Column("number_hint", sa.Text(), nullable=True),
        sa.Column("proposed_by_id", Key, nullable=True),
        sa.Column("confirmed_by_id", Key, nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("version", Key, nullable=False),
        sa.Column("round", Key, nullable=False),
        sa.CheckConstraint(
            "kind IN ('iban', 'bank_account', 'mobile', 'cash')", name=op.f("an_account_has_a_kind")
        ),
        sa.CheckConstraint(
            "confirmed_by_id <> proposed_by_id", name=op.f("an_account_is_confirmed_by_a_second_person")
        ),
        sa.ForeignKeyConstraint(
            ["confirmed_by_id"], ["app_user.id"], name=op.f("fk_payment_account_confirmed_by_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_payment_account_person_id")),
        sa.ForeignKeyConstraint(
            ["proposed_by_id"], ["app_user.id"], name=op.f("fk_payment_account_proposed_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_account")),
        sa.UniqueConstraint("uid", name=op.f("uq_payment_account_uid")),
    )
    op.create_index("ix_payment_account_number_blind", "payment_account", ["number_blind"], unique=False)
    op.create_index(op.f("ix_payment_account_person_id"), "payment_account", ["person_id"], unique=False)
    op.create_index(op.f("ix_payment_account_status"), "payment_account", ["status"], unique=False)
    op.create_index(
        "one_confirmed_account_per_person",
        "payment_account",
        ["person_id"],
        unique=True,
        sqlite_where=sa.text("status = 'confirmed'"),
        postgresql_where=sa.text("status = 'confirmed'"),
    )
    op.create_table(
        "phone",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("number_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("number_blind", sa.Text(), nullable=False),
        sa.Column("number_hint", sa.Text(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_phone_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phone")),
        sa.UniqueConstraint("uid", name=op.f("uq_phone_uid")),
    )
    op.create_index("ix_phone_number_blind", "phone", ["number_blind"], unique=False)
    op.create_index(op.f("ix_phone_person_id"), "phone", ["person_id"], unique=False)
    op.create_table(
        "enrolment",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("scheme_id", Key, nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("household_id", Key, nullable=True),
        sa.Column("determination_id", Key, nullable=True),
        sa.Column("amount_minor", Key, nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("exit_reason", sa.Text(), nullable=True),
        sa.Column("enrolled_by_id", Key, nullable=True),
        sa.Column("enrolled_at", Instant(), nullable=False),
        sa.Column("area_id", Key, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("version", Key, nullable=False),
        sa.Column("round", Key, nullable=False),
        sa.CheckConstraint(
            "status <> 'exited' OR exit_reason IS NOT NULL", name=op.f("whoever_exits_has_a_reason")
        ),
        sa.CheckConstraint("amount_minor > 0", name=op.f("a_benefit_is_positive")),
        sa.CheckConstraint("valid_to >= valid_from", name=op.f("an_enrolment_does_not_end_before_it_began")),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name=op.f("fk_enrolment_area_id")),
        sa.ForeignKeyConstraint(
            ["determination_id"], ["determination.id"], name=op.f("fk_enrolment_determination_id")
        ),
        sa.ForeignKeyConstraint(
            ["enrolled_by_id"], ["app_user.id"], name=op.f("fk_enrolment_enrolled_by_id")
        ),
        sa.ForeignKeyConstraint(["household_id"], ["household.id"], name=op.f("fk_enrolment_household_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_enrolment_person_id")),
        sa.ForeignKeyConstraint(["scheme_id"], ["scheme.id"], name=op.f("fk_enrolment_scheme_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolment")),
    )
    op.create_index(op.f("ix_enrolment_area_id"), "enrolment", ["area_id"], unique=False)
    op.create_index(op.f("ix_enrolment_determination_id"), "enrolment", ["determination_id"], unique=False)
    op.create_index("ix_enrolment_household_id", "enrolment", ["household_id"], unique=False)
    op.create_index("ix_enrolment_person_id", "enrolment", ["person_id"], unique=False)
    op.create_index(op.f("ix_enrolment_status"), "enrolment", ["status"], unique=False)
    op.create_index(
        "one_live_enrolment_per_person_and_scheme",
        "enrolment",
        ["scheme_id", "person_id"],
        unique=True,
        sqlite_where=sa.text("status IN ('applied', 'active', 'suspended')"),
        postgresql_where=sa.text("status IN ('applied', 'active', 'suspended')"),
    )
    op.create_table(
        "entitlement",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("cycle_id", Key, nullable=False),
        sa.Column("enrolment_id", Key, nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount_minor", Key, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("area_id", Key, nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("an_entitlement_is_positive")),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name=op.f("fk_entitlement_area_id")),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name=op.f("fk_entitlement_cycle_id")),
        sa.ForeignKeyConstraint(["enrolment_id"], ["enrolment.id"], name=op.f("fk_entitlement_enrolment_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_entitlement_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entitlement")),
        sa.UniqueConstraint("id", "amount_minor", "currency", name="an_entitlement_with_its_amount"),
    )
    op.create_index(op.f("ix_entitlement_area_id"), "entitlement", ["area_id"], unique=False)
    op.create_index("ix_entitlement_cycle_id", "entitlement", ["cycle_id"], unique=False)
    op.create_index("ix_entitlement_person_id", "entitlement", ["person_id"], unique=False)
    op.create_index(
        "one_entitlement_per_enrolment_and_month",
        "entitlement",
        ["enrolment_id", "month", "kind"],
        unique=True,
    )
    op.create_table(
        "hold",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("enrolment_id", Key, nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("placed_by_id", Key, nullable=True),
        sa.Column("placed_at", Instant(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("released_by_id", Key, nullable=True),
        sa.Column("released_at", Instant(), nullable=True),
        sa.Column("release_reason", sa.Text(), nullable=True),
        sa.Column("area_id", Key, nullable=False),
        sa.CheckConstraint(
            "(released_at IS NULL) = (release_reason IS NULL)", name=op.f("a_release_has_a_reason")
        ),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name=op.f("fk_hold_area_id")),
        sa.ForeignKeyConstraint(["enrolment_id"], ["enrolment.id"], name=op.f("fk_hold_enrolment_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_hold_person_id")),
        sa.ForeignKeyConstraint(["placed_by_id"], ["app_user.id"], name=op.f("fk_hold_placed_by_id")),
        sa.ForeignKeyConstraint(["released_by_id"], ["app_user.id"], name=op.f("fk_hold_released_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold")),
    )
    op.create_index(op.f("ix_hold_area_id"), "hold", ["area_id"], unique=False)
    op.create_index(
        "ix_hold_live",
        "hold",
        ["enrolment_id"],
        unique=False,
        sqlite_where=sa.text("released_at IS NULL"),
        postgresql_where=sa.text("released_at IS NULL"),
    )
    op.create_index(op.f("ix_hold_person_id"), "hold", ["person_id"], unique=False)
    op.create_table(
        "carry_over",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("entitlement_id", Key, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_by_id", Key, nullable=True),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.Column("cycle_id", Key, nullable=True),
        sa.ForeignKeyConstraint(["asked_by_id"], ["app_user.id"], name=op.f("fk_carry_over_asked_by_id")),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name=op.f("fk_carry_over_cycle_id")),
        sa.ForeignKeyConstraint(
            ["entitlement_id"], ["entitlement.id"], name=op.f("fk_carry_over_entitlement_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carry_over")),
    )
    op.create_index("ix_carry_over_cycle_id", "carry_over", ["cycle_id"], unique=False)
    op.create_index(
        "one_open_carry_over_per_entitlement",
        "carry_over",
        ["entitlement_id"],
        unique=True,
        sqlite_where=sa.text("cycle_id IS NULL"),
        postgresql_where=sa.text("cycle_id IS NULL"),
    )
    op.create_table(
        "not_paid",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("cycle_id", Key, nullable=False),
        sa.Column("enrolment_id", Key, nullable=False),
        sa.Column("entitlement_id", Key, nullable=True),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("hold_id", Key, nullable=True),
        sa.Column("area_id", Key, nullable=False),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name=op.f("fk_not_paid_area_id")),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name=op.f("fk_not_paid_cycle_id")),
        sa.ForeignKeyConstraint(["enrolment_id"], ["enrolment.id"], name=op.f("fk_not_paid_enrolment_id")),
        sa.ForeignKeyConstraint(
            ["entitlement_id"], ["entitlement.id"], name=op.f("fk_not_paid_entitlement_id")
        ),
        sa.ForeignKeyConstraint(["hold_id"], ["hold.id"], name=op.f("fk_not_paid_hold_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_not_paid_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_not_paid")),
        sa.UniqueConstraint("cycle_id", "enrolment_id", name=op.f("uq_not_paid_cycle_id_enrolment_id")),
    )
    op.create_index(op.f("ix_not_paid_area_id"), "not_paid", ["area_id"], unique=False)
    op.create_index("ix_not_paid_cycle_reason", "not_paid", ["cycle_id", "reason"], unique=False)
    op.create_index(op.f("ix_not_paid_enrolment_id"), "not_paid", ["enrolment_id"], unique=False)
    op.create_index(op.f("ix_not_paid_entitlement_id"), "not_paid", ["entitlement_id"], unique=False)
    op.create_index(op.f("ix_not_paid_person_id"), "not_paid", ["person_id"], unique=False)
    op.create_table(
        "payment",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("batch_id", Key, nullable=False),
        sa.Column("cycle_id", Key, nullable=False),
        sa.Column("entitlement_id", Key, nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("account_id", Key, nullable=True),
        sa.Column("attempt", Key, nullable=False),
        sa.Column("amount_minor", Key, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("end_to_end_id", sa.Text(), nullable=False),
        sa.Column("payee_name", sa.Text(), nullable=False),
        sa.Column("live", Key, nullable=True),
        sa.Column("released_by_event_id", Key, nullable=True),
        sa.Column("area_id", Key, nullable=False),
        sa.CheckConstraint(
            "(live IS NULL) = (released_by_event_id IS NOT NULL)",
            name=op.f("only_evidence_releases_a_payment"),
        ),
        sa.CheckConstraint("amount_minor > 0", name=op.f("a_payment_is_positive")),
        sa.CheckConstraint("live = 1", name=op.f("live_is_one_or_nothing")),
        sa.ForeignKeyConstraint(["account_id"], ["payment_account.id"], name=op.f("fk_payment_account_id")),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name=op.f("fk_payment_area_id")),
        sa.ForeignKeyConstraint(["batch_id"], ["payment_batch.id"], name=op.f("fk_payment_batch_id")),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name=op.f("fk_payment_cycle_id")),
        sa.ForeignKeyConstraint(
            ["entitlement_id", "amount_minor", "currency"],
            ["entitlement.id", "entitlement.amount_minor", "entitlement.currency"],
            name="a_payment_has_the_amount_of_its_entitlement",
        ),
        sa.ForeignKeyConstraint(
            ["entitlement_id"], ["entitlement.id"], name=op.f("fk_payment_entitlement_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_payment_person_id")),
        sa.ForeignKeyConstraint(
            ["released_by_event_id"],
            ["payment_event.id"],
            name=op.f("fk_payment_released_by_event_id"),
            use_alter=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment")),
        sa.UniqueConstraint("end_to_end_id", name=op.f("uq_payment_end_to_end_id")),
        sa.UniqueConstraint("entitlement_id", "attempt", name=op.f("uq_payment_entitlement_id_attempt")),
    )
    op.create_index(op.f("ix_payment_area_id"), "payment", ["area_id"], unique=False)
    op.create_index("ix_payment_batch_id", "payment", ["batch_id"], unique=False)
    op.create_index(op.f("ix_payment_cycle_id"), "payment", ["cycle_id"], unique=False)
    op.create_index("ix_payment_person_id", "payment", ["person_id"], unique=False)
    op.create_index("one_live_payment_per_entitlement", "payment", ["entitlement_id", "live"], unique=True)
    op.create_table(
        "answer_line",
        sa.Column("answer_file_id", Key, nullable=False),
        sa.Column("line_no", Key, nullable=False),
        sa.Column("end_to_end_id", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("raw_status", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("reason_text", sa.Text(), nullable=True),
        sa.Column("amount_minor", Key, nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("provider_reference", sa.Text(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("match", sa.Text(), nullable=True),
        sa.Column("payment_id", Key, nullable=True),
        sa.Column("resolved_by_id", Key, nullable=True),
        sa.Column("resolved_at", Instant(), nullable=True),
        sa.Column("resolution", sa.Text(), nullable=True),
        sa.CheckConstraint("(resolved_at IS NULL) = (resolution IS NULL)", name=op.f("a_resolution_is_said")),
        sa.ForeignKeyConstraint(
            ["answer_file_id"], ["answer_file.id"], name=op.f("fk_answer_line_answer_file_id")
        ),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_answer_line_payment_id")),
        sa.ForeignKeyConstraint(
            ["resolved_by_id"], ["app_user.id"], name=op.f("fk_answer_line_resolved_by_id")
        ),
        sa.PrimaryKeyConstraint("answer_file_id", "line_no", name=op.f("pk_answer_line")),
    )
    op.create_index(op.f("ix_answer_line_end_to_end_id"), "answer_line", ["end_to_end_id"], unique=False)
    op.create_index("ix_answer_line_match", "answer_line", ["answer_file_id", "match"], unique=False)
    op.create_index("ix_answer_line_payment_id", "answer_line", ["payment_id"], unique=False)
    op.create_table(
        "grievance",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("sensitive", sa.Boolean(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("anonymous", sa.Boolean(), nullable=False),
        sa.Column("complainant_name", sa.Text(), nullable=True),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("phone_blind", sa.Text(), nullable=True),
        sa.Column("phone_hint", sa.Text(), nullable=True),
        sa.Column("word_hash", sa.Text(), nullable=False),
        sa.Column("person_id", Key, nullable=True),
        sa.Column("determination_id", Key, nullable=True),
        sa.Column("enrolment_id", Key, nullable=True),
        sa.Column("payment_id", Key, nullable=True),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("acknowledge_by", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("acknowledged_on", sa.Date(), nullable=True),
        sa.Column("appeal_by", sa.Date(), nullable=True),
        sa.Column("late_because", sa.Text(), nullable=True),
        sa.Column("assigned_to_id", Key, nullable=True),
        sa.Column("lodged_by_id", Key, nullable=True),
        sa.Column("resolved_by_id", Key, nullable=True),
        sa.Column("resolved_on", sa.Date(), nullable=True),
        sa.Column("finding", sa.Text(), nullable=True),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.Column("remedy", sa.Text(), nullable=True),
        sa.Column("remedy_result", Json, nullable=True),
        sa.Column("appeal_of_id", Key, nullable=True),
        sa.Column("lodged_at", Instant(), nullable=False),
        sa.Column("area_id", Key, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("version", Key, nullable=False),
        sa.Column("round", Key, nullable=False),
        sa.CheckConstraint(
            "status <> 'assigned' OR assigned_to_id IS NOT NULL", name=op.f("what_is_assigned_has_somebody")
        ),
        sa.CheckConstraint(
            "status NOT IN ('resolved', 'appealed', 'closed') OR (decision IS NOT NULL AND finding IS NOT NULL AND remedy IS NOT NULL AND appeal_by IS NOT NULL)",
            name=op.f("what_is_resolved_has_a_decision"),
        ),
        sa.CheckConstraint(
            "NOT (anonymous AND (complainant_name IS NOT NULL OR phone_sealed IS NOT NULL))",
            name=op.f("the_anonymous_have_no_name"),
        ),
        sa.CheckConstraint("appeal_of_id <> id", name=op.f("a_grievance_is_not_its_own_appeal")),
        sa.ForeignKeyConstraint(["appeal_of_id"], ["grievance.id"], name=op.f("fk_grievance_appeal_of_id")),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name=op.f("fk_grievance_area_id")),
        sa.ForeignKeyConstraint(
            ["assigned_to_id"], ["app_user.id"], name=op.f("fk_grievance_assigned_to_id")
        ),
        sa.ForeignKeyConstraint(
            ["determination_id"], ["determination.id"], name=op.f("fk_grievance_determination_id")
        ),
        sa.ForeignKeyConstraint(["enrolment_id"], ["enrolment.id"], name=op.f("fk_grievance_enrolment_id")),
        sa.ForeignKeyConstraint(["lodged_by_id"], ["app_user.id"], name=op.f("fk_grievance_lodged_by_id")),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_grievance_payment_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_grievance_person_id")),
        sa.ForeignKeyConstraint(
            ["resolved_by_id"], ["app_user.id"], name=op.f("fk_grievance_resolved_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grievance")),
        sa.UniqueConstraint("uid", name=op.f("uq_grievance_uid")),
    )
    op.create_index(op.f("ix_grievance_area_id"), "grievance", ["area_id"], unique=False)
    op.create_index(op.f("ix_grievance_assigned_to_id"), "grievance", ["assigned_to_id"], unique=False)
    op.create_index(op.f("ix_grievance_determination_id"), "grievance", ["determination_id"], unique=False)
    op.create_index("ix_grievance_due_on", "grievance", ["status", "due_on"], unique=False)
    op.create_index(op.f("ix_grievance_enrolment_id"), "grievance", ["enrolment_id"], unique=False)
    op.create_index(op.f("ix_grievance_payment_id"), "grievance", ["payment_id"], unique=False)
    op.create_index(op.f("ix_grievance_person_id"), "grievance", ["person_id"], unique=False)
    op.create_index(op.f("ix_grievance_phone_blind"), "grievance", ["phone_blind"], unique=False)
    op.create_index(op.f("ix_grievance_status"), "grievance", ["status"], unique=False)
    op.create_index("one_appeal_per_grievance", "grievance", ["appeal_of_id"], unique=True)
    op.create_table(
        "payment_event",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("payment_id", Key, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("provider_reference", sa.Text(), nullable=True),
        sa.Column("answer_file_id", Key, nullable=True),
        sa.Column("line_no", Key, nullable=True),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["answer_file_id"], ["answer_file.id"], name=op.f("fk_payment_event_answer_file_id")
        ),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_payment_event_payment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_event")),
    )
    op.create_index(
        op.f("ix_payment_event_answer_file_id"), "payment_event", ["answer_file_id"], unique=False
    )
    op.create_index(op.f("ix_payment_event_payment_id"), "payment_event", ["payment_id"], unique=False)
    op.create_table(
        "payment_state",
        sa.Column("payment_id", Key, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("provider_reference", sa.Text(), nullable=True),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.CheckConstraint(
            "status IN ('sent', 'accepted', 'pending', 'paid', 'rejected', 'returned', 'unknown')",
            name=op.f("a_payment_has_a_status"),
        ),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_payment_state_payment_id")),
        sa.PrimaryKeyConstraint("payment_id", name=op.f("pk_payment_state")),
    )
    op.create_index(
        "ix_payment_state_open",
        "payment_state",
        ["status"],
        unique=False,
        sqlite_where=sa.text("status <> 'paid'"),
        postgresql_where=sa.text("status <> 'paid'"),
    )
    op.create_table(
        "case_note",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("grievance_id", Key, nullable=False),
        sa.Column("author_id", Key, nullable=True),
        sa.Column("author_name", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["app_user.id"], name=op.f("fk_case_note_author_id")),
        sa.ForeignKeyConstraint(["grievance_id"], ["grievance.id"], name=op.f("fk_case_note_grievance_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_note")),
    )
    op.create_index(op.f("ix_case_note_grievance_id"), "case_note", ["grievance_id"], unique=False)


def _drop_tables() -> None:
    op.drop_index(op.f("ix_case_note_grievance_id"), table_name="case_note")
    op.drop_table("case_note")
    op.drop_index(
        "ix_payment_state_open",
        table_name="payment_state",
        sqlite_where=sa.text("status <> 'paid'"),
        postgresql_where=sa.text("status <> 'paid'"),
    )
    op.drop_table("payment_state")
    op.drop_index(op.f("ix_payment_event_payment_id"), table_name="payment_event")
    op.drop_index(op.f("ix_payment_event_answer_file_id"), table_name="payment_event")
    op.drop_table("payment_event")
    op.drop_index("one_appeal_per_grievance", table_name="grievance")
    op.drop_index(op.f("ix_grievance_status"), table_name="grievance")
    op.drop_index(op.f("ix_grievance_phone_blind"), table_name="grievance")
    op.drop_index(op.f("ix_grievance_person_id"), table_name="grievance")
    op.drop_index(op.f("ix_grievance_payment_id"), table_name="grievance")
    op.drop_index(op.f("ix_grievance_enrolment_id"), table_name="grievance")
    op.drop_index("ix_grievance_due_on", table_name="grievance")
    op.drop_index(op.f("ix_grievance_determination_id"), table_name="grievance")
    op.drop_index(op.f("ix_grievance_assigned_to_id"), table_name="grievance")
    op.drop_index(op.f("ix_grievance_area_id"), table_name="grievance")
    op.drop_table("grievance")
    op.drop_index("ix_answer_line_payment_id", table_name="answer_line")
    op.drop_index("ix_answer_line_match", table_name="answer_line")
    op.drop_index(op.f("ix_answer_line_end_to_end_id"), table_name="answer_line")
    op.drop_table("answer_line")
    op.drop_index("one_live_payment_per_entitlement", table_name="payment")
    op.drop_index("ix_payment_person_id", table_name="payment")
    op.drop_index(op.f("ix_payment_cycle_id"), table_name="payment")
    op.drop_index("ix_payment_batch_id", table_name="payment")
    op.drop_index(op.f("ix_payment_area_id"), table_name="payment")
    op.drop_table("payment")
    op.drop_index(op.f("ix_not_paid_person_id"), table_name="not_paid")
    op.drop_index(op.f("ix_not_paid_entitlement_id"), table_name="not_paid")
    op.drop_index(op.f("ix_not_paid_enrolment_id"), table_name="not_paid")
    op.drop_index("ix_not_paid_cycle_reason", table_name="not_paid")
    op.drop_index(op.f("ix_not_paid_area_id"), table_name="not_paid")
    op.drop_table("not_paid")
    op.drop_index(
        "one_open_carry_over_per_entitlement",
        table_name="carry_over",
        sqlite_where=sa.text("cycle_id IS NULL"),
        postgresql_where=sa.text("cycle_id IS NULL"),
    )
    op.drop_index("ix_carry_over_cycle_id", table_name="carry_over")
    op.drop_table("carry_over")
    op.drop_index(op.f("ix_hold_person_id"), table_name="hold")
    op.drop_index(
        "ix_hold_live",
        table_name="hold",
        sqlite_where=sa.text("released_at IS NULL"),
        postgresql_where=sa.text("released_at IS NULL"),
    )
    op.drop_index(op.f("ix_hold_area_id"), table_name="hold")
    op.drop_table("hold")
    op.drop_index("one_entitlement_per_enrolment_and_month", table_name="entitlement")
    op.drop_index("ix_entitlement_person_id", table_name="entitlement")
    op.drop_index("ix_entitlement_cycle_id", table_name="entitlement")
    op.drop_index(op.f("ix_entitlement_area_id"), table_name="entitlement")
    op.drop_table("entitlement")
    op.drop_index(
        "one_live_enrolment_per_person_and_scheme",
        table_name="enrolment",
        sqlite_where=sa.text("status IN ('applied', 'active', 'suspended')"),
        postgresql_where=sa.text("status IN ('applied', 'active', 'suspended')"),
    )
    op.drop_index(op.f("ix_enrolment_status"), table_name="enrolment")
    op.drop_index("ix_enrolment_person_id", table_name="enrolment")
    op.drop_index("ix_enrolment_household_id", table_name="enrolment")
    op.drop_index(op.f("ix_enrolment_determination_id"), table_name="enrolment")
    op.drop_index(op.f("ix_enrolment_area_id"), table_name="enrolment")
    op.drop_table("enrolment")
    op.drop_index(op.f("ix_phone_person_id"), table_name="phone")
    op.drop_index("ix_phone_number_blind", table_name="phone")
    op.drop_table("phone")
    op.drop_index(
        "one_confirmed_account_per_person",
        table_name="payment_account",
        sqlite_where=sa.text("status = 'confirmed'"),
        postgresql_where=sa.text("status = 'confirmed'"),
    )
    op.drop_index(op.f("ix_payment_account_status"), table_name="payment_account")
    op.drop_index(op.f("ix_payment_account_person_id"), table_name="payment_account")
    op.drop_index("ix_payment_account_number_blind", table_name="payment_account")
    op.drop_table("payment_account")
    op.drop_index(
        "one_primary_collector_per_household",
        table_name="membership",
        sqlite_where=sa.text("valid_to IS NULL AND collector = 'primary'"),
        postgresql_where=sa.text("valid_to IS NULL AND collector = 'primary'"),
    )
    op.drop_index(
        "one_household_per_person_at_a_time",
        table_name="membership",
        sqlite_where=sa.text("valid_to IS NULL"),
        postgresql_where=sa.text("valid_to IS NULL"),
    )
    op.drop_index(
        "one_head_per_household",
        table_name="membership",
        sqlite_where=sa.text("valid_to IS NULL AND relationship = 'head'"),
        postgresql_where=sa.text("valid_to IS NULL AND relationship = 'head'"),
    )
    op.drop_index("ix_membership_household_id", table_name="membership")
    op.drop_table("membership")
    op.drop_index(
        "one_live_holder_per_identity_number",
        table_name="identity_number",
        sqlite_where=sa.text("live"),
        postgresql_where=sa.text("live"),
    )
    op.drop_index(op.f("ix_identity_number_person_id"), table_name="identity_number")
    op.drop_table("identity_number")
    op.drop_index("one_determination_per_person_and_run", table_name="determination")
    op.drop_index("ix_determination_run_outcome", table_name="determination")
    op.drop_index("ix_determination_person_id", table_name="determination")
    op.drop_index(op.f("ix_determination_area_id"), table_name="determination")
    op.drop_table("determination")
    op.drop_index("one_person_per_external_key", table_name="person")
    op.drop_index("ix_person_search_name", table_name="person")
    op.drop_index("ix_person_import_row", table_name="person")
    op.drop_index("ix_person_birth_date", table_name="person")
    op.drop_index(op.f("ix_person_area_id"), table_name="person")
    op.drop_table("person")
    op.drop_table("payment_batch")
    op.drop_index("ix_import_row_person_key", table_name="import_row")
    op.drop_index("ix_import_row_household_key", table_name="import_row")
    op.drop_index("ix_import_row_batch_outcome", table_name="import_row")
    op.drop_table("import_row")
    op.drop_table("import_number")
    op.drop_index("one_household_per_external_key", table_name="household")
    op.drop_index("ix_household_import_row", table_name="household")
    op.drop_index(op.f("ix_household_area_id"), table_name="household")
    op.drop_table("household")
    op.drop_table("cycle_total")
    op.drop_index(op.f("ix_assessment_run_scheme_id"), table_name="assessment_run")
    op.drop_table("assessment_run")
    op.drop_table("answer_file")
    op.drop_table("saved_filter")
    op.drop_index(op.f("ix_rule_set_status"), table_name="rule_set")
    op.drop_table("rule_set")
    op.drop_index(
        "one_assignment_of_a_role_to_the_whole_country",
        table_name="role_assignment",
        sqlite_where=sa.text("area_id IS NULL"),
        postgresql_where=sa.text("area_id IS NULL"),
    )
    op.drop_table("role_assignment")
    op.drop_index(op.f("ix_recovery_code_user_id"), table_name="recovery_code")
    op.drop_table("recovery_code")
    op.drop_index(
        "undone_chunks",
        table_name="job_chunk",
        sqlite_where=sa.text("status <> 'done'"),
        postgresql_where=sa.text("status <> 'done'"),
    )
    op.drop_table("job_chunk")
    op.drop_index(
        "one_batch_per_file_and_mapping",
        table_name="import_batch",
        sqlite_where=sa.text("status NOT IN ('rejected', 'failed')"),
        postgresql_where=sa.text("status NOT IN ('rejected', 'failed')"),
    )
    op.drop_index(op.f("ix_import_batch_status"), table_name="import_batch")
    op.drop_table("import_batch")
    op.drop_index(
        "one_cycle_per_scheme_and_month",
        table_name="cycle",
        sqlite_where=sa.text("status <> 'aborted'"),
        postgresql_where=sa.text("status <> 'aborted'"),
    )
    op.drop_index(op.f("ix_cycle_status"), table_name="cycle")
    op.drop_table("cycle")
    op.drop_table("audit_unsealed")
    op.drop_table("audit_leaves")
    op.drop_index(op.f("ix_area_closure_descendant_id"), table_name="area_closure")
    op.drop_table("area_closure")
    op.drop_index("ix_state_change_record", table_name="state_change")
    op.drop_table("state_change")
    op.drop_index("ix_sign_in_attempt_username_at", table_name="sign_in_attempt")
    op.drop_table("sign_in_attempt")
    op.drop_table("scheme")
    op.drop_index("ix_public_try_counted", table_name="public_try")
    op.drop_table("public_try")
    op.drop_index(
        "one_live_job_per_subject",
        table_name="job",
        sqlite_where=sa.text("status IN ('queued', 'running')"),
        postgresql_where=sa.text("status IN ('queued', 'running')"),
    )
    op.drop_index(
        "live_jobs",
        table_name="job",
        sqlite_where=sa.text("status IN ('queued', 'running')"),
        postgresql_where=sa.text("status IN ('queued', 'running')"),
    )
    op.drop_index(op.f("ix_job_created_by"), table_name="job")
    op.drop_table("job")
    op.drop_index(op.f("ix_audit_seal_first_entry_id"), table_name="audit_seal")
    op.drop_table("audit_seal")
    op.drop_index("ix_audit_entry_user_id", table_name="audit_entry")
    op.drop_index("ix_audit_entry_subject", table_name="audit_entry")
    op.drop_table("audit_entry")
    op.drop_index(op.f("ix_area_parent_id"), table_name="area")
    op.drop_table("area")
    op.drop_index(op.f("ix_app_user_staff_number"), table_name="app_user")
    op.drop_table("app_user")
