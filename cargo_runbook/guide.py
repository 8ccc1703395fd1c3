"""The troubleshooting guide's sections, in its order, and the notebook that each one became."""

from __future__ import annotations

from collections.abc import Mapping

NOTEBOOKS: Mapping[str, str] = {
    "Cargo 问题排查路径": "00_triage",
    "Cargo 问题排查路径 / 进阶步骤": "00_triage",
    "域名无法解析 / 本地场景": "11_domain_unresolved_local",
    "域名无法解析 / 流水线场景": "12_domain_unresolved_pipeline",
    "使用错误的域名访问": "20_wrong_domain",
    "Token Service 配置错误": "30_token_service",
    "Token Service 配置错误 / 使用 Cargo 内置的 Token Service": "30_token_service",
    "Token Service 配置错误 / 使用了其他集群里的 Token Service": "30_token_service",
    "镜像同步一直同步中": "40_replication_stuck",
    "镜像同步同步失败": "50_replication_failed",
    "权限问题": "60_permission",
}
"""Heading of the section (with the one that it stands below) -> name of the notebook."""
