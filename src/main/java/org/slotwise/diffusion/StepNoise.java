package org.slotwise.diffusion;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.List;
import java.util.Random;
import org.slotwise.internal.Check;
import org.slotwise.internal.Limits;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.SplitMix;

/** Where the standard normal numbers of a sampling come from. */
@FunctionalInterface
public interface StepNoise {

    /**
     * The numbers of a step.
     *
     * @param step -1 for what the sampling starts from, then the number of the step
     * @param manager who owns the result
     * @param device where it must be
     * @param shape (B, ...)
     * @param type of the numbers
     * @return standard normal numbers
     */
    NDArray at(int step, NDManager manager, Device device, Shape shape, DataType type);

    /**
     * Numbers that depend on the seed, the step and the place in the batch alone: picture b is the
     * same in any batch, on any device.
     *
     * @param seed any number
     * @return the source
     */
    static StepNoise seeded(long seed) {
        return (step, manager, device, shape, type) -> {
            Limits.numbers("StepNoise", "noise", shape.getShape());
            int batch = Math.toIntExact(shape.get(0));
            int each = Math.toIntExact(shape.size() / Math.max(1, batch));
            double[] values = new double[batch * each];
            for (int b = 0; b < batch; b++) {
                long own = new SplitMix(seed, b).next();
                Random random = new Random(new SplitMix(own, step).next());
                for (int i = 0; i < each; i++) {
                    values[b * each + i] = random.nextGaussian();
                }
            }
            return Scalars.of(manager, device, values, shape, type);
        };
    }

    /**
     * Numbers that are given.
     *
     * @param steps those of step 0, 1, ...; what the sampling starts from is given to it
     * @return the source
     */
    static StepNoise given(List<NDArray> steps) {
        List<NDArray> all = List.copyOf(steps);
        return (step, manager, device, shape, type) -> {
            Check.option(
                    step >= 0 && step < all.size(),
                    "StepNoise: there must be noise for step "
                            + step
                            + ", got that of "
                            + all.size()
                            + " steps");
            return all.get(step);
        };
    }
}
