package org.slotwise.diffusion;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.FusedOps;
import org.slotwise.internal.Limits;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Scalars;

/**
 * Masks of slots from where a denoiser's places look while it takes noise from latents.
 *
 * <p>Source: Tang et al., "What the DAAM: Interpreting Stable Diffusion Using Cross Attention"
 * (2023), section 3, on slots in place of words.
 *
 * <pre>{@code
 * a[t, l, k, i] = mean over heads of softmax over slots of q_i . k_k        at time t, in layer l
 * mask[k]       = mean over t and l of resize(a[t, l, k])                   bilinear
 * }</pre>
 *
 * <p>Masks sum to 1 over slots. The network is asked once for each time; no graph is recorded, and
 * what it does otherwise costs nothing more. How this differs from the source: latents of pictures
 * are noised, in place of those met on the way of a sampling; means are taken, not sums; maps are
 * resized bilinearly, not bicubically, which would leave [0, 1].
 */
public final class CrossAttentionMasks {

    private static final String WHO = "CrossAttentionMasks";
    private static final int USUAL_TIMES = 10;

    private final int @Nullable [] times;
    private final Set<Integer> coarseness;
    private final Set<Integer> layers;
    private final int height;
    private final int width;

    private CrossAttentionMasks(Builder builder, int height, int width) {
        this.times = builder.times;
        this.coarseness = new TreeSet<>(builder.coarseness);
        this.layers = new TreeSet<>(builder.layers);
        this.height = height;
        this.width = width;
    }

    private CrossAttentionMasks(CrossAttentionMasks other, int height, int width) {
        this.times = other.times;
        this.coarseness = other.coarseness;
        this.layers = other.layers;
        this.height = height;
        this.width = width;
    }

    /**
     * Creates a builder.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * The same at another size.
     *
     * @param rows the masks' height, at least 1
     * @param columns the masks' width, at least 1
     * @return the masks; they are of the latents' size if it is not said
     * @throws IllegalArgumentException if a number is out of range
     */
    public CrossAttentionMasks withSize(int rows, int columns) {
        Limits.count(WHO, "rows", rows, 1, Limits.WINDOW);
        Limits.count(WHO, "columns", columns, 1, Limits.WINDOW);
        return new CrossAttentionMasks(this, rows, columns);
    }

    /**
     * Makes masks with noise of a seed.
     *
     * @param decoder whose network is asked
     * @param store where the parameters' values are
     * @param latents (B, C, h, w) without noise, of pictures or drawn
     * @param slots (B, K, D), whose masks are made; of any number
     * @param seed the same seed gives the same noise, and each picture that which it has in any
     *     other batch; each time has noise of its own
     * @return (B, K, H, W), owned by the latents' manager
     * @throws IllegalArgumentException if an input has another shape or type, or there is no such
     *     time, no such layer, or no map of a chosen coarseness
     */
    public NDArray of(
            LatentDiffusionDecoder decoder,
            ParameterStore store,
            NDArray latents,
            NDArray slots,
            long seed) {
        return made(decoder, store, latents, slots, StepNoise.seeded(seed));
    }

    /**
     * Makes masks with noise that is given.
     *
     * @param decoder whose network is asked
     * @param store where the parameters' values are
     * @param latents (B, C, h, w) without noise
     * @param slots (B, K, D)
     * @param noise (B, C, h, w) standard normal numbers, at each time the same
     * @return (B, K, H, W), owned by the latents' manager
     * @throws IllegalArgumentException if an input has another shape or type, or there is no such
     *     time, no such layer, or no map of a chosen coarseness
     */
    public NDArray of(
            LatentDiffusionDecoder decoder,
            ParameterStore store,
            NDArray latents,
            NDArray slots,
            NDArray noise) {
        Check.present(WHO, "noise", noise);
        return made(decoder, store, latents, slots, (t, manager, device, shape, type) -> noise);
    }

    NDArray made(
            LatentDiffusionDecoder decoder,
            ParameterStore store,
            NDArray latents,
            NDArray slots,
            StepNoise noise) {
        Shape s = decoder.latentShape();
        Check.shape(WHO, "latents", latents, "B", s.get(0), s.get(1), s.get(2));
        Check.floating(WHO, "latents", latents.getDataType());
        Check.shape(WHO, "slots", slots, latents.getShape().get(0), "K", "D");
        Check.sameTypeAndDevice(WHO, "slots", slots, "latents", latents);
        int[] all = times(decoder.learning().noising().schedule().steps());
        return NoGraph.during(
                () -> {
                    NDManager owner = latents.getManager();
                    try (NDManager own = owner.newSubManager(latents.getDevice())) {
                        NDArray sum = null;
                        for (int t : all) {
                            try (NDManager step = own.newSubManager()) {
                                NDArray z = latents.reshape(latents.getShape());
                                z.attach(step);
                                NDList maps = maps(decoder, store, z, slots, noise, t);
                                NDArray mean = mean(maps, latents.getShape());
                                if (sum == null) {
                                    mean.attach(own);
                                    sum = mean;
                                } else {
                                    sum.addi(mean);
                                }
                            }
                        }
                        NDArray total = Objects.requireNonNull(sum);
                        NDArray masks = total.mul(Scalars.like(total, 1.0 / all.length));
                        masks.attach(owner);
                        return masks;
                    }
                });
    }

    private int[] times(int steps) {
        if (times == null) {
            int count = Math.min(USUAL_TIMES, steps);
            int[] even = new int[count];
            Arrays.setAll(even, i -> (int) ((2L * i + 1) * steps / (2L * count)));
            return even;
        }
        for (int t : times) {
            Check.option(
                    t < steps, WHO + ": a time must be from 0 to " + (steps - 1) + ", got " + t);
        }
        return times;
    }

    /** What the network looks at, at a time. */
    private static NDList maps(
            LatentDiffusionDecoder decoder,
            ParameterStore store,
            NDArray z,
            NDArray slots,
            StepNoise noise,
            int t) {
        int[] each = new int[Math.toIntExact(z.getShape().get(0))];
        Arrays.fill(each, t);
        NDArray drawn = noise.at(t, z.getManager(), z.getDevice(), z.getShape(), z.getDataType());
        NDArray held = drawn.reshape(drawn.getShape());
        held.attach(z.getManager());
        NDArray noised = decoder.learning().noising().noised(z, held, each);
        NDArray times = Scalars.full(z, new Shape(each.length), t, DataType.INT64);
        return decoder.denoiser().crossAttention(store, noised, times, slots);
    }

    /** Of the chosen maps, at one size; in one more array than there are maps. */
    private NDArray mean(NDList maps, Shape latents) {
        List<Integer> factors =
                maps.stream().map(m -> (int) (latents.get(2) / m.getShape().get(2))).toList();
        requireThere(factors);
        NDArray sum = null;
        int count = 0;
        for (int number = 0; number < factors.size(); number++) {
            boolean layer = chosen(layers, number) || chosen(layers, number - maps.size());
            if (layer && chosen(coarseness, factors.get(number))) {
                NDArray resized =
                        FusedOps.bilinear(
                                maps.get(number),
                                height == 0 ? (int) latents.get(2) : height,
                                width == 0 ? (int) latents.get(3) : width);
                sum = sum == null ? resized : sum.addi(resized);
                count++;
            }
        }
        if (sum == null) {
            throw new IllegalArgumentException(
                    WHO
                            + ": no layer is chosen by coarseness "
                            + coarseness
                            + " and layers "
                            + layers
                            + ": the network's are of coarseness "
                            + factors);
        }
        return sum.mul(Scalars.like(sum, 1.0 / count));
    }

    /** What is not there must not go unnoticed where something else is. */
    private void requireThere(List<Integer> factors) {
        int count = factors.size();
        for (int layer : layers) {
            Check.option(
                    layer >= -count && layer < count,
                    WHO
                            + ": a layer must be from "
                            + -count
                            + " to "
                            + (count - 1)
                            + " for this network, got "
                            + layer);
        }
        for (int factor : coarseness) {
            Check.option(
                    factors.contains(factor),
                    WHO
                            + ": there is no layer of coarseness "
                            + factor
                            + ": the network's are of coarseness "
                            + factors);
        }
    }

    private static boolean chosen(Set<Integer> some, int one) {
        return some.isEmpty() || some.contains(one);
    }

    /** Describes {@link CrossAttentionMasks}. */
    public static final class Builder {

        private int @Nullable [] times;
        private Set<Integer> coarseness = Set.of();
        private Set<Integer> layers = Set.of();

        private Builder() {}

        /**
         * Sets at which times the network is asked: a U-Net for each.
         *
         * @param times at least one, each from 0 to T - 1; ten that lie evenly if not set
         * @return this
         */
        public Builder optTimes(int... times) {
            this.times = times.clone();
            return this;
        }

        /**
         * Sets which layers count, by the size of their maps.
         *
         * @param factors how many times smaller each way than latents maps are: 1, 2, 4 and so on;
         *     all if not set
         * @return this
         */
        public Builder optCoarseness(int... factors) {
            coarseness = set(factors);
            return this;
        }

        /**
         * Sets which layers count, by their place in the network.
         *
         * @param numbers from 0, in the order of {@code Denoiser.crossAttention}: on the way down,
         *     in the middle, on the way up; or from the end, where -1 is the last; all if not set
         * @return this
         */
        public Builder optLayers(int... numbers) {
            layers = set(numbers);
            return this;
        }

        private static Set<Integer> set(int... numbers) {
            return Arrays.stream(numbers).boxed().collect(Collectors.toCollection(TreeSet::new));
        }

        /**
         * Builds what makes masks.
         *
         * @return of the latents' size
         * @throws IllegalArgumentException if a time is below 0, a factor below 1, or there is none
         */
        public CrossAttentionMasks build() {
            if (times != null) {
                Check.atLeast(WHO, "how many times there are", times.length, 1);
                for (int t : times) {
                    Check.atLeast(WHO, "a time", t, 0);
                }
            }
            coarseness.forEach(factor -> Check.atLeast(WHO, "coarseness", factor, 1));
            return new CrossAttentionMasks(this, 0, 0);
        }
    }
}
