"""The update of `kernels` once more, compiled by numba: same numbers, same order, same bits.

`kernels`, `adam` and `drift` of `weakreset.simulation` say in plain torch what happens to a device. They are what is
meant: they run wherever this folder cannot (another device than the processor, traits in half precision,
`kernel = "torch"`), and `tests/simulation/test_compiled.py` compares every bit. Plain torch goes over all devices once
for every operation; here a device goes through all operations at once. How a step runs, from the outside in:

**A step** begins in `calls`. `adam_pulse` (Adam, pulses and new signs of a layer), `pulse_pairs` (given bursts for
the pairs of a layer) and `advance` (given bursts for single devices) turn tensors into flat numpy arrays
(`arguments`) and cut the weights into ranges. **Threads** take one range after the other (`threads`). Nothing depends
on the order: random words are a function of (key, device) and not of what was drawn before, and only devices of the
own range are touched.

**Blocks.** `step` goes through its range a block of weights at a time, so that what it writes down about them stays in
the cache. `weights.adam_bursts` brings Adam's moments up to date and says how many pulses each weight is to get, as
`adam` does in plain torch.

**Lists.** Devices that get pulses are written into a list, BL (2 i) or BLb (2 i + 1) of weight i, behind those of the
blocks before. The list is moved when it has the length of a block: a step with few pulses then still moves many
devices at once, and one without any touches none.

**Rows.** The numbers of a device lie side by side: one row of traits, which a pulse reads, and one of what it changes
(poles of the 1/f noise, pulse count and telegraph state, ln R); `traits` and `moving_rows` say what stands where.
Scattered devices cost lines of memory, not arithmetic, so `devices.advance_list` asks for those of a chunk of devices
(`memory.ask_for`) before it needs the first.

**Words.** The first random word of each device of a chunk is made in a loop of its own: 33 bits choose the normals of
four poles, 12 the white term, 32 decide the telegraph (`normal_vectors` says why some do both).

**A device** then takes its burst in `devices._advance`, line by line as `kernels._advance_chunk`: the pulse count
grows, `drift` gives ln R, `poles` adds 1/f noise, telegraph and read noise follow, ln R is stored.

**Signs.** `weights.read_signs` compares each device moved with the other one of its pair and sets the weight; ties fall
to a coin that belongs to the weight. `step` returns sums: pulses, devices, weights turned.

Two rules keep the bits equal: every multiplication and addition is rounded by itself (numba neither fuses nor reorders
unless asked), and functions like exp are written out. Code is compiled for the drift shape, the number of poles and the
noise that is on, as these are part of the types of the arguments (`arguments.Constant`).

What is spelled out for LLVM or asks a library by hand says beside it what it gains; what gained less than a tenth of a
step is plain numba.
"""
