"""The ways of working: lawful shifts, planted violations, near misses.

A planted violation is a shift with other numbers, not other code.
"""

from __future__ import annotations

from ingest.fleet.shift import HOUR, MINUTE, Shift, Span

# fmt: off
ORDINARY: tuple[Shift, ...] = (
    Shift("班线", "L", (6.5, 10.5), 21.6),
    Shift("班线晚班", "L", (14.0, 17.0), 25.3),
    Shift("接驳夜班", "LC", (20.0, 21.5), 31.5, 6.4, night=True, exempt=True),
    Shift("包车", "C", (7.0, 10.0), 21.6, 6.5, turn_s=(40 * MINUTE, 150 * MINUTE),
          rest_s=(60 * MINUTE, 150 * MINUTE)),
    Shift("危货", "H", (6.2, 9.5), 20.5, rest_s=(30 * MINUTE, 80 * MINUTE)),
    Shift("公交", "B", (6.2, 7.6), 22.0, 14.0, 2.6, rest_s=(26 * MINUTE, 45 * MINUTE)),
    Shift("出租", "T", (5.4, 9.0), 26.6, 20.0, 3.4, rest_s=(26 * MINUTE, 60 * MINUTE)),
    Shift("普货", "F", (5.2, 11.0), 26.4, 9.5),
    Shift("普货夜班", "F", (15.0, 21.0), 34.0, 9.0, night=True),
    Shift("定点公交", "B", (6.4, 8.0), 20.5, 12.0, 2.6, rest_s=(26 * MINUTE, 40 * MINUTE), timed=True),
)
"""Lawful work; the roster chooses among those of a class."""

CHOICE: dict[str, tuple[tuple[int, float], ...]] = {
    "L": ((0, 0.72), (1, 0.94), (2, 1.0)),
    "C": ((3, 0.93), (2, 1.0)),
    "H": ((4, 1.0),),
    "B": ((5, 0.8), (9, 1.0)),
    "T": ((6, 1.0),),
    "F": ((7, 0.72), (8, 1.0)),
}
"""By class: index into `ORDINARY`, and which share of the class works so or like one before."""

_DAY: Span = (8.0, 13.0)
_OVER: Span = (1.2, 1.4)
_MORNING, _AFTERNOON = (7.0, 9.0), (14.0, 15.5)
_QUICK: Span = (2 * MINUTE, 3 * MINUTE)
_LONG: Span = (30 * MINUTE, 40 * MINUTE)
_SLOW: Span = (0.7, 0.76)
_EVENING, _MIDNIGHT = (22.1, 22.4), (24.2, 24.6)

PLANTED: tuple[Shift, ...] = (
    Shift("道路超速", "LCHBTF", _DAY, legs=2, kind="V01", lawful=False, need="road", boost=_OVER,
          early=True, short="HBTF"),
    Shift("区域超速", "LCHBF", _DAY, legs=2, kind="V02", lawful=False, need="zone", boost=_OVER,
          early=True, short="HBF"),
    Shift("夜间超速", "LC", _EVENING, leg_s=1.2 * HOUR, legs=2, turn_s=_LONG, pace=_SLOW, night=True,
          kind="V03", lawful=False, need="road", boost=(0.97, 1.01), exempt=True),
    Shift("夜间超速", "LC", _MIDNIGHT, leg_s=1.2 * HOUR, legs=2, turn_s=_LONG, pace=_SLOW, night=True,
          kind="V03", lawful=False, need="road", boost=(0.97, 1.01), exempt=True),
    Shift("严重超速", "LCHBTF", _DAY, legs=2, kind="V04", lawful=False, need="severe", boost=(1.65, 1.8),
          boost_s=(80.0, 120.0), early=True, short="HBTF", implies=("V01",)),
    Shift("连续驾驶", "LCHFBT", _MORNING, block_h=9.0, leg_s=1.16 * HOUR, legs=4, turn_s=_QUICK,
          kind="V05", lawful=False),
    Shift("连续驾驶", "FHTBCL", _AFTERNOON, block_h=9.0, leg_s=1.16 * HOUR, legs=4, turn_s=_QUICK,
          kind="V05", lawful=False),
    Shift("夜间连续驾驶", "LC", _EVENING, block_h=9.0, leg_s=1.25 * HOUR, legs=2, turn_s=_QUICK, pace=_SLOW,
          night=True, kind="V06", lawful=False, exempt=False),
    Shift("夜间连续驾驶", "LC", _MIDNIGHT, block_h=9.0, leg_s=1.25 * HOUR, legs=2, turn_s=_QUICK, pace=_SLOW,
          night=True, kind="V06", lawful=False, exempt=True),
    Shift("凌晨运行", "LC", (26.1, 26.8), leg_s=35 * MINUTE, legs=2, turn_s=_LONG, pace=_SLOW, night=True,
          kind="V09", lawful=False, exempt=False),
    Shift("危货禁行", "H", _DAY, legs=2, kind="V20", lawful=False, need="core", early=True, short="H"),
    Shift("危货禁行", "H", _AFTERNOON, legs=2, kind="V20", lawful=False, need="core", early=True, short="H"),
    Shift("停车休息不足", "LCHF", _MORNING, block_h=9.0, leg_s=1.16 * HOUR, legs=4,
          turn_s=(7 * MINUTE, 14 * MINUTE), kind="V08", lawful=False, implies=("V05",)),
    Shift("夜间山区公路", "LC", _MIDNIGHT, legs=2, turn_s=_LONG, pace=_SLOW, night=True, kind="V10",
          lawful=False, need="mountain", exempt=True),
    Shift("违规停靠", "LH", _MORNING, leg_s=50 * MINUTE, legs=2, turn_s=(25 * MINUTE, 35 * MINUTE), kind="V19",
          lawful=False, paper="stop"),
    Shift("危货限时段", "H", (24.3, 25.0), leg_s=40 * MINUTE, legs=2, turn_s=_LONG, night=True, kind="V21",
          lawful=False, need="express"),
    Shift("超区域经营", "BT", _DAY, legs=2, kind="V22", lawful=False, need="away", paper="area"),
    Shift("闯封闭路段", "LCHB", _DAY, legs=2, kind="V24", lawful=False, need="shut"),
    Shift("站外上客", "LC", _MORNING, leg_s=12 * MINUTE, legs=2, turn_s=_LONG, calls=(50.0, 60.0), kind="V25",
          lawful=False, paper="boarding"),
)
"""Planted violations on the road."""

FAULTS: tuple[Shift, ...] = (
    Shift("累计驾驶", "LCH", (7.0, 8.0), leg_s=1.1 * HOUR, legs=8, rest_s=(27 * MINUTE, 32 * MINUTE),
          kind="V07", lawful=False),
    Shift("累计驾驶", "H", _AFTERNOON, leg_s=1.1 * HOUR, legs=8, rest_s=(27 * MINUTE, 32 * MINUTE),
          kind="V07", lawful=False),
    Shift("离线位移", "F", _DAY, leg_s=1.5 * HOUR, legs=2, kind="V12", lawful=False, fault="silent",
          implies=("V11",)),
    Shift("行驶中掉线", "FB", _DAY, legs=2, kind="V11", lawful=False, fault="lost"),
    Shift("行驶中掉线", "H", _MORNING, kind="V11", lawful=False, fault="brief"),
    Shift("应上线未上线", "LCHBTF", _MORNING, kind="V13", lawful=False, fault="absent"),
    Shift("速度不符", "LCHF", _MORNING, legs=2, kind="V16", lawful=False, fault="recorder"),
    Shift("轨迹不完整", "LCH", _MORNING, legs=2, kind="V14", lawful=False, need="desert"),
    Shift("轨迹不完整", "HCL", _AFTERNOON, legs=2, kind="V14", lawful=False, need="desert"),
    Shift("定位漂移", "LCH", _MORNING, leg_s=1.1 * HOUR, legs=4, kind="V15", lawful=False, fault="drifting"),
    Shift("定位漂移", "HCL", _AFTERNOON, leg_s=1.1 * HOUR, legs=4, kind="V15", lawful=False,
          fault="drifting"),
    Shift("数据不合格", "LCHBTF", _MORNING, leg_s=0.8 * HOUR, legs=4, kind="V17", lawful=False,
          fault="corrupt"),
    Shift("数据不合格", "FTBHCL", _AFTERNOON, leg_s=0.8 * HOUR, legs=4, kind="V17", lawful=False,
          fault="corrupt"),
)
"""Planted violations of whole days and of terminals.

Where there is a row for the morning and one for the afternoon, a day's run that begins at any hour holds one.
"""

_LEG = 62 * MINUTE

TOLD: tuple[Shift, ...] = (
    Shift("客车超员", "LC", _DAY, leg_s=_LEG, legs=2, kind="V35", lawful=False, told="crowded"),
    Shift("行车开门", "LC", _DAY, leg_s=_LEG, legs=2, kind="V36", lawful=False, told="door"),
    Shift("接打手持电话", "FHLC", _DAY, leg_s=_LEG, legs=2, kind="V37", lawful=False, told="phone"),
    Shift("抽烟", "FHTBCL", _DAY, leg_s=_LEG, legs=2, kind="V38", lawful=False, told="smoking"),
    Shift("生理疲劳", "TFLBCH", _DAY, leg_s=_LEG, legs=2, kind="V39", lawful=False, told="drowsy"),
    Shift("分心驾驶", "FTBHCL", _DAY, leg_s=_LEG, legs=2, kind="V40", lawful=False, told="distracted"),
    Shift("车距过近", "FHLCB", _DAY, leg_s=_LEG, legs=2, kind="V41", lawful=False, told="close"),
    Shift("频繁急刹", "FLCHB", _DAY, leg_s=_LEG, legs=2, kind="V42", lawful=False, told="harsh"),
    Shift("摄像头遮挡", "HC", _DAY, leg_s=_LEG, legs=2, kind="V43", lawful=False, told="covered"),
    Shift("行驶中断电", "FTH", _DAY, leg_s=_LEG, legs=2, kind="V44", lawful=False, told="power"),
    Shift("天线故障", "TFB", _DAY, leg_s=_LEG, legs=2, kind="V44", lawful=False, told="antenna"),
    Shift("非法点火", "FHL", _DAY, leg_s=_LEG, legs=2, kind="V45", lawful=False, told="ignition"),
    Shift("熄火位移", "FH", _DAY, leg_s=_LEG, legs=2, kind="V45", lawful=False, told="towed"),
)
"""Planted violations that the terminal tells of, at moments of the first leg."""

_RUN: Span = (6.5, 9.5)
_BUS: Span = (6.6, 7.4)

PAPERS: tuple[Shift, ...] = (
    Shift("偏离核定线路", "LBH", _RUN, legs=2, kind="V18", lawful=False, paper="route"),
    Shift("包车无备案", "C", _RUN, 21.0, kind="V26", lawful=False, paper="charter"),
    Shift("危货无运单", "H", _RUN, 20.5, kind="V27", lawful=False, paper="waybill"),
    Shift("报停营运", "LCHBTF", _RUN, 21.0, kind="V28", lawful=False, paper="status"),
    Shift("证照逾期", "FTBHCL", _RUN, 21.0, kind="V29", lawful=False, paper="document"),
    Shift("从业资格逾期", "TFLBCH", _RUN, 21.0, kind="V30", lawful=False, paper="qualification"),
    Shift("无押运员", "H", _RUN, 20.5, kind="V30", lawful=False, paper="escort"),
    Shift("非排班驾驶员", "CLH", _RUN, 20.5, kind="V31", lawful=False, paper="driver"),
    Shift("未办出站", "L", _RUN, 21.0, 5.0, kind="V32", lawful=False, paper="exit"),
    Shift("超时段运行", "B", _BUS, 20.5, 12.0, 2.6, kind="V23", lawful=False, paper="hours", timed=True),
    Shift("班次晚点", "B", _BUS, 20.5, 12.0, 2.6, kind="V33", lawful=False, paper="late", timed=True),
    Shift("越站", "B", _BUS, 20.5, 12.0, 2.6, kind="V34", lawful=False, paper="skipped", timed=True),
)
"""Planted violations of ordinary drives whose papers are not in order."""

NEAR: tuple[Shift, ...] = (
    Shift("恰好限速加3", "HF", _DAY, legs=2, kind="V01", need="road", boost=(1.07, 1.08), plus_kmh=3.0,
          early=True, short="HF"),
    Shift("短时超速", "HFT", _DAY, legs=2, kind="V01", need="road", boost=(1.2, 1.3), boost_s=(23.0, 25.0),
          ramp_s=4.0, early=True, short="HFT"),
    Shift("恰好夜间限速加3", "LC", _MIDNIGHT, leg_s=1.2 * HOUR, legs=2, turn_s=_LONG, pace=_SLOW, night=True,
          kind="V03", need="road", boost=(0.9, 0.92), plus_kmh=3.0, exempt=True),
    Shift("恰好4小时休息20分钟", "F", _MORNING, block_h=9.0, leg_s=1.0 * HOUR, legs=6,
          turn_s=(120.0, 120.0), kind="V05", exact_s=4 * HOUR),
    Shift("双班换驾", "L", _MORNING, block_h=9.0, leg_s=2.3 * HOUR, legs=2,
          turn_s=(8 * MINUTE, 10 * MINUTE), kind="V05", drivers=2),
    Shift("恰好夜间2小时休息20分钟", "LC", (24.2, 24.4), block_h=9.0, leg_s=0.95 * HOUR, legs=4,
          turn_s=(120.0, 120.0), pace=_SLOW, night=True, kind="V06", exact_s=2 * HOUR, exempt=True),
    Shift("凌晨短驶", "LC", (26.2, 27.5), leg_s=270.0, legs=2, turn_s=(6 * MINUTE, 8 * MINUTE),
          pace=(0.5, 0.55), night=True, kind="V09", exempt=False),
    Shift("接驳凌晨运行", "LC", (25.5, 26.0), leg_s=1.2 * HOUR, legs=2, turn_s=_LONG, pace=_SLOW, night=True,
          kind="V09", exempt=True),
    Shift("危货擦边", "H", _DAY, legs=2, kind="V20", need="clip", early=True, short="H"),
    Shift("持证限时段行驶", "H", (24.3, 25.0), leg_s=40 * MINUTE, legs=2, turn_s=_LONG, night=True, kind="V21",
          need="express", paper="express_pass"),
    Shift("证照当日换发", "FTBHCL", _RUN, 21.0, kind="V29", paper="renewed"),
    Shift("运单到收车为止", "H", _RUN, 20.5, kind="V27", paper="till_evening"),
    Shift("持证通行封闭路段", "LCHB", _DAY, legs=2, kind="V24", need="shut", paper="closure_pass"),
    Shift("出站登记近两小时", "L", _RUN, 21.0, 5.0, kind="V32", paper="recorded"),
    Shift("招呼站", "B", _BUS, 20.5, 12.0, 2.6, kind="V34", paper="request", timed=True),
    Shift("晚点九分钟", "B", _BUS, 20.5, 12.0, 2.6, kind="V33", paper="nearly_late", timed=True),
    Shift("恰好满员", "LC", _DAY, leg_s=_LEG, legs=2, kind="V35", told="full"),
    Shift("一次见车门未关", "LC", _DAY, leg_s=_LEG, legs=2, kind="V36", told="door_once"),
    Shift("电话报警结束", "FHT", _DAY, leg_s=_LEG, legs=2, kind="V37", told="phone_over"),
    Shift("两次一级疲劳", "FHT", _DAY, leg_s=_LEG, legs=2, kind="V39", told="yawns"),
    Shift("十一分钟三次分神", "FHT", _DAY, leg_s=_LEG, legs=2, kind="V40", told="seldom_distracted"),
    Shift("四次车距过近", "FHB", _DAY, leg_s=_LEG, legs=2, kind="V41", told="seldom_close"),
    Shift("半小时两次急刹", "FHB", _DAY, leg_s=_LEG, legs=2, kind="V42", told="seldom_harsh"),
    Shift("遮挡不足五分钟", "HLC", _DAY, leg_s=_LEG, legs=2, kind="V43", told="covered_briefly"),
    Shift("天线故障不足五分钟", "FTB", _DAY, leg_s=_LEG, legs=2, kind="V44", told="antenna_briefly"),
    Shift("熄火滑行", "FH", _DAY, leg_s=_LEG, legs=2, kind="V45", told="off_briefly"),
)
"""Near misses: lawful, by a hair."""
# fmt: on

SHIFTS: tuple[Shift, ...] = ORDINARY + PLANTED + FAULTS + TOLD + PAPERS + NEAR
