// Package optuna knows how Optuna's relational storage writes studies and
// trials: its tables (schema.sql), states, values, dates, distributions and
// attributes.
//
// The schema is that of Optuna 4.9 and 5.0 (schema version 12, alembic revision
// v3.2.0.a). The package touches no database; trials/sqlite does. Start with
// Schema, EncodeDistribution and DecodeDistribution.
//
// Sources: Optuna 5.0.0, optuna/storages/_rdb/models.py and optuna/distributions.py.
package optuna
