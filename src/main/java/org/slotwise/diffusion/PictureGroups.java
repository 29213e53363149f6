package org.slotwise.diffusion;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import java.util.Arrays;
import java.util.Collection;
import java.util.function.Consumer;
import org.slotwise.internal.Scalars;
import org.slotwise.unet.Denoiser;

/**
 * The pictures of a batch in groups, of which each goes back from its part of the loss before the
 * next is computed: the graph is never that of more than a group.
 *
 * <pre>{@code
 * loss = sum over groups of  (pictures of the group / pictures) loss(group)
 * }</pre>
 */
final class PictureGroups {

    /**
     * What a group must be worth: places of its latents, times the mean size of a parameter. Below
     * that the engine's calls are a part of the time that counts, and twice as many take longer
     * (docs/performance.md).
     */
    private static final double LEAST_WORK = 8e6;

    /** The gradients of weights are added up once for each group: not for every picture or two. */
    private static final int FEWEST = 4;

    /** The loss of some pictures, with a graph. */
    @FunctionalInterface
    interface Loss {
        NDArray of(NDArray clean, NDArray slots, DiffusionDraws draws);
    }

    private PictureGroups() {}

    /** How many groups a batch of latents (B, C, h, w) is: 1 where more would take longer. */
    static int count(Denoiser denoiser, NDArray latents) {
        if (!denoiser.seesPicturesAlone() || latents.getDevice().isGpu()) {
            return 1;
        }
        Shape shape = latents.getShape();
        Collection<Parameter> parameters = denoiser.getParameters().values();
        double numbers = parameters.stream().mapToLong(p -> p.getArray().size()).sum();
        double places = (double) shape.get(2) * shape.get(3);
        double work = places * numbers / Math.max(1, parameters.size());
        double least = Math.max(FEWEST, Math.ceil(LEAST_WORK / Math.max(1, work)));
        return (int) Math.max(1, shape.get(0) / least);
    }

    private static NDArray backward(NDArray whole, NDManager owner, Consumer<NDArray> backward) {
        try (NDManager own = owner.newSubManager()) {
            whole.attach(own);
            backward.accept(whole);
            NDArray value = whole.stopGradient();
            value.attach(owner);
            return value;
        }
    }

    /**
     * Goes back from the loss group by group.
     *
     * @param groups at least 1
     * @param slotsLearn whether slots are part of a graph, to which their gradients go at last
     * @return the loss (), without a graph, owned by the manager of the clean latents
     */
    static NDArray backward(
            int groups,
            NDArray clean,
            NDArray slots,
            boolean slotsLearn,
            DiffusionDraws draws,
            Loss loss,
            Consumer<NDArray> backward) {
        int batch = (int) clean.getShape().get(0);
        int[] times = draws.times();
        boolean fits = draws.noise().getShape().equals(clean.getShape()) && times.length == batch;
        if (groups < 2 || !fits) {
            return backward(loss.of(clean, slots, draws), clean.getManager(), backward);
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
                    NDArray whole =
                            loss.of(
                                    some(clean, from, to, group),
                                    some(told, from, to, group),
                                    new DiffusionDraws(
                                            some(draws.noise(), from, to, group),
                                            Arrays.copyOfRange(times, from, to)));
                    whole.attach(group);
                    double share = (double) (to - from) / batch;
                    NDArray part =
                            whole.mul(Scalars.full(whole, new Shape(), share, whole.getDataType()));
                    backward.accept(part);
                    sum.addi(part.stopGradient());
                }
            }
            if (slotsLearn) {
                try (NDArray gradient = told.getGradient()) {
                    NDArray left = slots.mul(gradient);
                    left.attach(own);
                    backward.accept(left.sum());
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
