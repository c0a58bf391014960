"""Headings: tables and columns of a registry by their Chinese names."""

from collections.abc import Mapping

TABLES: Mapping[str, str] = {
    "车辆": "vehicles", "参数": "parameters", "企业": "companies", "县市": "counties", "车辆状态": "status",
    "车辆证照": "documents", "许可": "permits", "危货电子运单": "waybills", "包车备案": "charters",
    "线路配车": "assignments", "排班": "roster", "出站登记": "exits", "从业资格": "qualifications", "从业人员": "staff",
    "豁免": "exemptions", "站点": "stops", "班次": "trips", "停靠时刻": "stop_times", "班次配车": "duties",
    "围栏": "fences", "道路": "roads", "线路": "routes",
}  # fmt: skip
"""Chinese name of a table or map to its name."""

COLUMNS: Mapping[str, str] = {
    "车牌号": "plate", "车牌颜色": "plate_color", "车辆类型": "class", "企业": "company", "县市": "county",
    "驾驶员数": "drivers", "凌晨豁免": "small_hours_exempt", "核定载客": "seats", "生效时间": "valid_from",
    "失效时间": "valid_to", "分组": "group", "参数": "name", "取值": "value", "围栏": "fence", "经办人": "by",
    "原因": "why", "名称": "name", "模块": "module", "状态": "status", "证照": "document", "编号": "number",
    "许可": "permit", "货物": "goods", "线路": "route", "途经县市": "counties", "岗位": "role", "人员": "staff",
    "车站": "station", "资格": "qualification", "违规种类": "kind", "事由": "reason", "经度": "lon", "纬度": "lat",
    "站点": "stop", "班次": "trip", "序号": "order", "到达": "arrives", "离开": "departs", "车次组": "block",
    "运行日": "days", "除外日期": "except", "响应停靠": "request", "坐标系": "datum",
}  # fmt: skip
"""Chinese name of a column to its name."""


def table(name: str) -> str:
    """Name of a table or a map, given in either language."""
    return TABLES.get(name, name)


def column(name: str) -> str:
    """Name of a column, given in either language."""
    return COLUMNS.get(name, name)
