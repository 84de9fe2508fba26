"""The training step of Majumdar et al. 2021 as published, the baseline of `simulation_speed.py`.

Written from a description of the algorithm, not from its code: plain torch, one state tensor [telegraph, the last
15 noise samples, t] that is taken apart and put together at every update, both devices of every weight updated at
every step whether they receive pulses or not. How the description was read, and what each reading costs:

- The laws are float64 and stay it, so drift, telegraph step, exponential and R are computed in float64; state and
  noise are float32. This gives the 248 bytes a weight that were measured on the published code.
- State goes in as [telegraph, history, t] and comes out as [history, telegraph, t], as published: the history
  shifts by one at every call, also without pulses, and by n + 1 for a burst of n. The described "after about 8
  one-pulse updates the telegraph chain reads the oldest noise sample" is two places a call, n of them drawn; were
  n + 1 drawn it would take 5. The noise is not centred. Neither costs anything to leave as it is.
- A burst of n brings n samples, so the longest (14) is one less than the taps. They are drawn for all devices and
  gathered: one pass instead of a loop over the pulses, which would be up to 14 times slower.
- One telegraph transition an update, whatever n, and an amplitude redrawn at every update.

Where the description leaves a choice, the reading that runs faster is taken: the ratios of `simulation_speed.py` are
the smaller for it. (The published code itself was measured elsewhere at 0.52 M weights/s on one thread and 0.57 on
two.)
"""

from __future__ import annotations

import numpy as np
import torch

from weakreset.parameter_file import draw_devices, load_parameters

N_TAPS = 15


class PublishedDevices:
    """One side (BL or BLb) of a layer: `update(n)` gives n pulses to each device and returns R in ohm."""

    def __init__(self, shape: tuple[int, ...], seed: int) -> None:
        params = load_parameters("majumdar2021")
        count = int(np.prod(shape))
        drawn = draw_devices(params, count, np.random.default_rng(seed))
        laws = {"r0": drawn.r0_ohm, **drawn.drift, "amplitude": drawn.rtn_amplitude}
        self.laws = {name: torch.from_numpy(values).view(shape) for name, values in laws.items()}
        self.generator = torch.Generator().manual_seed(seed)
        self.noise = params.noise
        history = torch.rand((N_TAPS, *shape), generator=self.generator)
        self.state = torch.cat([torch.zeros((1, *shape)), history, torch.zeros((1, *shape))])
        self.resistance = self.laws["r0"].clone()
        taps = np.cumprod(np.concatenate([[1.0], (np.arange(1, N_TAPS) - 0.5) / np.arange(1, N_TAPS)]))
        self.taps = torch.from_numpy(taps.astype(np.float32)).view(-1, *(1 for _ in shape))

    def _uniform(self, rows: int = 1) -> torch.Tensor:
        return torch.rand((rows, *self.resistance.shape), generator=self.generator)

    def update(self, n: torch.Tensor) -> torch.Tensor:
        """Drift at t + n, n more samples of 1/f noise, one telegraph transition."""
        law, rtn = self.laws, self.noise.rtn
        history, high, t = self.state[:N_TAPS], self.state[N_TAPS].ceil(), self.state[-1] + n
        longer = torch.cat([self._uniform(N_TAPS - 1), history])  # newest first
        first = N_TAPS - 1 - n.to(torch.int64)
        history = longer.gather(0, first + torch.arange(N_TAPS).view(-1, *(1 for _ in n.shape)))
        pink = (self.taps * history).sum(0) * (self.noise.pink.alpha * 12**0.5)
        u = self._uniform()[0]
        high = torch.where(high > 0, (u > rtn.p_down).float(), (u < rtn.p_up).float())
        telegraph = high * self._uniform()[0] * self._uniform()[0] * law["amplitude"]
        before = law["m1"] * t + law["c1"]
        after = law["m2"] * t + law["c1"] + law["t_star"] * (law["m1"] - law["m2"])
        drift = torch.where(t < law["t_star"], before, after)
        self.state = torch.cat([high[None], history, t[None]])
        self.resistance = law["r0"] * torch.exp(drift + pink + telegraph)
        return self.resistance

    def bytes(self) -> int:
        tensors = [*self.laws.values(), self.state, self.resistance]
        return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


class PublishedLayer:
    """Weights sign(R_BL - R_BLb), Adam turned into pulses, no SET."""

    def __init__(self, shape: tuple[int, ...], seed: int = 0, lr: float = 100.0, max_pulses: int = 14) -> None:
        self.sides = (PublishedDevices(shape, 2 * seed), PublishedDevices(shape, 2 * seed + 1))
        self.mean, self.square = torch.zeros(shape), torch.zeros(shape)
        self.steps, self.lr, self.max_pulses = 0, lr, max_pulses
        self.weight = torch.sign(self.sides[0].resistance - self.sides[1].resistance).float()

    def step(self, gradient: torch.Tensor) -> None:
        """Adam, pulses, new resistances, new signs."""
        self.steps += 1
        self.mean = 0.9 * self.mean + 0.1 * gradient
        self.square = 0.999 * self.square + 0.001 * gradient**2
        mean, square = self.mean / (1 - 0.9**self.steps), self.square / (1 - 0.999**self.steps)
        wish = -self.lr * mean / (square.sqrt() + 1e-8)
        n = wish.clamp(-self.max_pulses, self.max_pulses).round()
        up, down = self.sides
        self.weight = torch.sign(up.update(n.clamp(min=0)) - down.update((-n).clamp(min=0))).float()

    def bytes_per_weight(self) -> float:
        return sum(side.bytes() for side in self.sides) / self.weight.numel()
