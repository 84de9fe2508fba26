"""Words that Verilog-A keeps for itself: no parameter of a module may be called so."""

from __future__ import annotations

__all__ = ["KEYWORDS"]

KEYWORDS = frozenset(  # of Verilog-AMS 2.4, small letters only: numbers of a drift have no others
    "above abs access acos acosh absdelay aliasparam always analog analysis and asin asinh assert assign atan atan2 "
    "atanh begin branch buf case ceil connect continuous cos cosh cross ddt ddt_nature ddx deassign default defparam "
    "disable discipline discrete domain edge else end endcase enddiscipline endfunction endmodule endnature "
    "endparamset event exclude exp final_step flicker_noise floor flow for force forever from function generate "
    "genvar ground hypot idt idtmod if inf initial initial_step inout input integer join laplace_nd laplace_np "
    "laplace_zd laplace_zp last_crossing limexp ln localparam log max min module nand nature negedge net noise_table "
    "nor not or output parameter paramset posedge potential pow real reg release repeat scalared signed sin sinh "
    "slew sqrt string strobe tan tanh task time timer transition tri units unsigned wait wand while white_noise wire "
    "wor xnor xor zi_nd zi_np zi_zd zi_zp".split()
)
