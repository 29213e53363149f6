package org.slotwise.diffusion;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;
import java.util.Arrays;
import java.util.function.Consumer;
import org.slotwise.internal.Gradients;
import org.slotwise.internal.Scalars;

/**
 * The pictures of a batch in groups, of which each goes back from its part of the loss before the
 * next is computed: the graph is never that of more than a group.
 *
 * <pre>{@code
 * loss = sum over groups of  (pictures of the group / pictures) loss(group)
 * }</pre>
 */
final class PictureGroups {

    /** Goes back from a share of the loss of some pictures, and returns that share. */
    @FunctionalInterface
    interface Step {
        NDArray back(
                NDArray clean,
                NDArray slots,
                DiffusionDraws draws,
                double share,
                Consumer<NDArray> backward);
    }

    private PictureGroups() {}

    /**
     * Goes back from the loss group by group.
     *
     * @param groups from 1 to the number of pictures
     * @param slotsLearn whether slots are part of a graph, to which their gradients go at last
     * @return the loss (), without a graph, owned by the manager of the clean latents
     */
    static NDArray backward(
            int groups,
            NDArray clean,
            NDArray slots,
            boolean slotsLearn,
            DiffusionDraws draws,
            Step step,
            Consumer<NDArray> backward) {
        int batch = (int) clean.getShape().get(0);
        int[] times = draws.times();
        boolean fits = draws.noise().getShape().equals(clean.getShape()) && times.length == batch;
        if (groups < 2 || !fits) {
            if (slotsLearn) {
                return step.back(clean, slots, draws, 1, backward);
            }
            try (NDArray told = slots.stopGradient()) {
                return step.back(clean, told, draws, 1, backward);
            }
        }
        try (NDManager own = clean.getManager().newSubManager()) {
            NDArray told = slots.stopGradient();
            told.attach(own);
            told.setRequiresGradient(slotsLearn);
            NDArray sum = Scalars.full(own, new Shape(), 0, clean.getDataType());
            for (int i = 0; i < groups; i++) {
                int from = batch * i / groups;
                int to = batch * (i + 1) / groups;
                try (NDManager group = own.newSubManager()) {
                    NDArray part =
                            step.back(
                                    some(clean, from, to, group),
                                    some(told, from, to, group),
                                    new DiffusionDraws(
                                            some(draws.noise(), from, to, group),
                                            Arrays.copyOfRange(times, from, to)),
                                    (double) (to - from) / batch,
                                    backward);
                    sum.addi(part);
                }
            }
            if (slotsLearn) {
                // With whatever the caller's way back has multiplied the loss by.
                NDArray gradient = Gradients.of(told);
                if (gradient != null) {
                    gradient.attach(own);
                    Gradients.back(slots, gradient);
                }
            }
            sum.attach(clean.getManager());
            return sum;
        }
    }

    private static NDArray some(NDArray all, int from, int to, NDManager owner) {
        NDArray some = all.get(new NDIndex("{}:{}", from, to));
        some.attach(owner);
        return some;
    }
}
