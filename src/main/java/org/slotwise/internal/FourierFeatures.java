package org.slotwise.internal;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;

/**
 * A number as a vector in which near and far can be told apart by a linear map.
 *
 * <p>Source: Tancik et al., "Fourier Features Let Networks Learn High Frequency Functions in Low
 * Dimensional Domains" (2020), with whole multiples of one frequency.
 *
 * <pre>{@code
 * t, sin(k pi t / 2), cos(k pi t / 2)              k from 1 to the number of frequencies
 * }</pre>
 */
public final class FourierFeatures {

    private FourierFeatures() {}

    /**
     * How many features a number has.
     *
     * @param frequencies at least 0
     * @return 1 + 2 frequencies
     */
    public static int count(int frequencies) {
        return 1 + 2 * frequencies;
    }

    /**
     * The features of the numbers along the last axis: first the numbers themselves, then all sines
     * and cosines of each frequency.
     *
     * @param t (..., P)
     * @param frequencies at least 0
     * @return (..., P (1 + 2 frequencies)); t itself without frequencies
     */
    public static NDArray of(NDArray t, int frequencies) {
        if (frequencies == 0) {
            return t; // DJL's concat copies a single array, and with that cuts the graph
        }
        NDList parts = new NDList(t);
        for (int k = 1; k <= frequencies; k++) {
            NDArray angle = t.mul(Scalars.like(t, k * Math.PI / 2));
            parts.add(angle.sin());
            parts.add(angle.cos());
        }
        return NDArrays.concat(parts, t.getShape().dimension() - 1);
    }

    /**
     * The same as a method in TorchScript.
     *
     * @param name what the method is called
     * @param frequencies at least 0
     * @return its definition: {@code name(t)}
     */
    public static String script(String name, int frequencies) {
        return """
                def %s(self, t: Tensor) -> Tensor:
                  parts = annotate(List[Tensor], [t])
                  for k in range(%s):
                    angle = torch.mul(t, torch.mul(torch.add(k, 1), %s))
                    _0 = torch.append(parts, torch.sin(angle))
                    _1 = torch.append(parts, torch.cos(angle))
                  return torch.cat(parts, -1)
                """
                .formatted(name, frequencies, Math.PI / 2);
    }
}
