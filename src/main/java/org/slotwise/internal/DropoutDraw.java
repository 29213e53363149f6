package org.slotwise.internal;

import ai.djl.ndarray.NDArray;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/**
 * What dropout keeps, drawn in half the time of uniform numbers: the engine draws one number of 31
 * bits after the other on a CPU, and here two elements share one, with 15 bits each.
 *
 * <p>So a rate is a multiple of 1/32768. Where that is more than a thousandth beside it, as of
 * rates below 0.015 it may be, {@link #isFine} says no.
 */
public final class DropoutDraw {

    /** A function of scripts that draw: booleans of so many elements, on the device of an array. */
    static final String FUNCTION =
            """
            def kept(self: __torch__.Script,
              like: Tensor,
              count: int,
              least: int) -> Tensor:
              half = torch.floordiv(torch.add(count, 1), 2)
              r = torch.random_(torch.empty([half], dtype=3, device=ops.prim.device(like)))
              high = torch.ge(r, torch.mul(least, 65536))
              low = torch.ge(torch.bitwise_and(r, 32767), least)
              return torch.slice(torch.cat([high, low]), 0, 0, count)
            """;

    private static final int LEVELS = 1 << 15;
    private static final double NEAR = 1e-3;

    private DropoutDraw() {}

    /** The script, loaded at the first use. */
    private static final class Loaded {
        static final Script SCRIPT =
                Script.plain(
                        FUNCTION
                                + """
                                def kept_like(self: __torch__.Script,
                                  like: Tensor,
                                  least: Tensor) -> Tensor:
                                  k = (self).kept(like, torch.numel(like), int(least))
                                  return torch.reshape(k, torch.size(like))
                                """);

        static final ConcurrentMap<Integer, NDArray> LEAST = new ConcurrentHashMap<>();
    }

    /**
     * Whether a rate can be drawn so.
     *
     * @param rate from 0 to 1
     * @return whether it is near enough to a multiple of 1/32768
     */
    public static boolean isFine(double rate) {
        return Math.abs((double) least(rate) / LEVELS - rate) <= NEAR * rate;
    }

    private static int least(double rate) {
        return Math.toIntExact(Math.round(rate * LEVELS));
    }

    /** The least number of those that are kept, as scripts take it. */
    static NDArray setting(double rate) {
        return Loaded.LEAST.computeIfAbsent(least(rate), Script::constant);
    }

    /**
     * Draws what is kept of an array.
     *
     * @param like the array
     * @param rate how much is dropped, for which {@link #isFine} holds
     * @return BOOLEAN, of the array's shape
     */
    public static NDArray kept(NDArray like, double rate) {
        return Loaded.SCRIPT.call("kept_like", like, setting(rate)).singletonOrThrow();
    }
}
