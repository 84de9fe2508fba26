"""Words for columns in other languages than English; `vocabulary` looks them up without accents and in lower case."""

from __future__ import annotations

__all__ = ["FOREIGN", "FOREIGN_SIDE"]

FOREIGN: dict[str, tuple[str, ...]] = {
    "device": (
        "probe nr", "probennummer", "bauteil nr", "échantillon", "n° échantillon",
        "zelle", "speicherzelle", "bauelement", "bauteil", "zellennummer", "cellule", "dispositif", "composant",
        "dispositivo", "celda", "cella", "célula", "cel", "komórka", "buňka", "hücre", "aygıt", "komponente",
        "ячейка", "устройство", "образец", "器件", "器件编号", "单元", "单元编号", "存储单元", "样品", "样品编号",
        "试样", "测试单元", "器件号", "デバイス番号", "セル番号",
        "素子", "素子番号", "デバイス", "セル", "試料", "소자", "소자 번호", "소자번호", "셀", "시료",
    ),
    "cycle": (
        "zyklus", "zyklen", "zyklusnummer", "ciclo", "ciclos", "cyclus", "cykl", "cyklus", "cykel", "döngü", "цикл",
        "номер цикла", "循环", "循环数", "循环次数", "サイクル", "サイクル数", "사이클",
    ),
    "pulse": (
        "puls", "pulse nr", "pulsnummer", "puls nr", "puls nummer", "pulszahl", "pulsanzahl", "anzahl pulse",
        "anzahl der pulse", "impuls", "impulse", "impulsnummer", "impulszahl", "impulsanzahl", "anzahl impulse",
        "impulsion", "impulsions", "nb impulsions", "nombre d'impulsions", "numéro d'impulsion", "n° d'impulsion",
        "nombre d'impulsion", "numéro impulsion", "no impulsion",
        "pulso", "pulsos", "número de pulso", "número de pulsos", "no de pulsos", "n pulsos", "nº de pulsos",
        "impulso", "impulsi", "numero impulsi", "numero di impulsi", "numero impulso", "n impulsi", "pulsen",
        "aantal pulsen", "numer impulsu", "liczba impulsów", "číslo pulsu", "počet pulsů", "pulz", "pulser",
        "antal pulser", "darbe", "darbe sayısı", "darbe no", "импульс", "импульсы", "номер импульса",
        "число импульсов", "количество импульсов", "№ импульса", "脉冲", "脉冲数", "脉冲次数", "脉冲编号", "脉冲序号",
        "脉冲个数", "パルス", "パルス数", "パルス番号", "펄스", "펄스 수", "펄스수", "펄스 번호",
    ),
    "resistance": (
        "widerstand", "widerstandswert",
        "résistance", "resistencia", "resistência", "resistenza", "weerstand", "rezystancja", "opór",
        "odpor", "resistans", "motstand", "direnç", "сопротивление", "电阻", "电阻值", "阻值", "抵抗", "抵抗値",
        "電阻", "저항", "저항값",
    ),
    "conductance": (
        "leitwert", "conductancia", "condutância", "conduttanza", "geleiding", "konduktancja", "vodivost",
        "konduktans", "iletkenlik", "проводимость", "电导", "电导值", "コンダクタンス", "컨덕턴스", "전도도",
    ),
    "current": (
        "strom", "lesestrom", "courant", "corriente", "corrente", "stroom", "prąd", "proud", "ström", "akım", "ток",
        "电流", "读电流", "電流", "전류",
    ),
    "read_voltage": (
        "lesespannung", "tension de lecture", "voltaje de lectura", "tensión de lectura", "tensione di lettura",
        "tensão de leitura", "leesspanning", "напряжение чтения", "读电压", "读取电压", "読み出し電圧", "읽기 전압",
    ),
}  # fmt: skip

FOREIGN_SIDE = (
    "zeit", "temps", "tiempo", "tempo", "tijd", "czas", "čas", "tid", "zaman", "время", "时间", "時間", "시간", "datum",
    "fecha", "дата", "日期", "temperatur", "température", "temperatura", "температура", "温度", "온도",
    "spannung", "tension", "voltaje", "tensione", "tensão", "spanning", "napięcie", "napětí", "spänning", "gerilim",
    "напряжение", "电压", "電圧", "전압", "bemerkung", "kommentar", "commentaire", "observaciones",
    "примечание", "备注", "備考", "비고",
)  # fmt: skip
