SIZES = (30, 50)
TAILS = (0.5, 0.1)
QUANTILES = ((0.4, 0.5), (0.4, 0.5))
