package org.slotwise.quantization;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.Limits;
import org.slotwise.internal.Options;
import org.slotwise.internal.Pass;
import org.slotwise.layer.StartingValues;

/**
 * Turns each slot into a few categorical latents, each with a learnt codebook of its own, and back.
 *
 * <p>Source: the slot quantisation of VQ-SA, Kirilenko et al., "Quantized Disentangled
 * Representations for Object-Centric Visual Tasks" (2022); the sampling is that of Jang et al.,
 * "Categorical Reparameterization with Gumbel-Softmax" (2017).
 *
 * <pre>{@code
 * logits[l, m] = s . W_l e[l, m]                        a bilinear form for each latent l
 * training:    y_l = softmax((logits[l] + gumbel) / temperature)
 * inference:   y_l = one at the largest logit
 * slot         = [sum over m of y[l, m] e[l, m]]        latents side by side
 * }</pre>
 *
 * <ul>
 *   <li>slots s (B, K, D) of the parameters' type; gumbel (B, K, L, M) of the same type, draws from
 *       the standard Gumbel distribution: from the engine's generator if not given. Only training
 *       uses them.
 *   <li>W (L, D, E) and e (L, M, E) are the parameters.
 *   <li>slots (B, K, L E): of the size D that came in, unless a size of codes is set. Codes (B, K,
 *       L) int64. Logits (B, K, L, M), for the loss that draws them to a uniform prior.
 * </ul>
 *
 * <p>As a block on lists it takes "slots" and, optionally, "gumbel"; the temperature is that of
 * {@link #setTemperature}.
 *
 * <p>How this differs from the source: the size of codes and the straight-through form are options.
 *
 * <p>A slot with NaN becomes NaN in training; in inference, which only looks for the largest logit,
 * it gets some code. Other slots are left alone.
 */
public final class SlotQuantizer extends SlotCodebooks {

    /** The name of the Gumbel draws in an {@link NDList}. */
    public static final String GUMBEL = "gumbel";

    private final int dim;
    private final boolean straightThrough;
    private volatile double temperature;

    private final Parameter forms;
    private final Parameter codebooks;

    private SlotQuantizer(Builder builder) {
        super(
                builder.latents,
                builder.codes,
                builder.codeDim == null ? builder.dim / builder.latents : builder.codeDim);
        dim = builder.dim;
        straightThrough = builder.straightThrough;
        temperature = builder.temperature;
        Declarer own = declarer();
        forms =
                own.under("bilinear")
                        .weight("weight", StartingValues.linear(dim), latents, dim, codeDim);
        codebooks = own.other("codebooks", StartingValues.normal(1), true, latents, codes, codeDim);
    }

    @Override
    NDArray codebooks(Pass pass) {
        return pass.value(codebooks);
    }

    /** {@inheritDoc} */
    @Override
    protected String inputName() {
        return QuantizedSlots.SLOTS;
    }

    /**
     * The temperature of calls that do not say theirs.
     *
     * @return above 0
     */
    public double temperature() {
        return temperature;
    }

    /**
     * Sets the temperature of calls that do not say theirs, before each step of the training for
     * instance: from an {@link AnnealedTemperature}, or any other schedule.
     *
     * @param temperature from 1e-20 to 1e20, in float16 from 1e-4 to 1e4; low ones sample nearly
     *     one code, high ones nearly the mean
     * @throws IllegalArgumentException if the temperature is not above 0
     */
    public void setTemperature(double temperature) {
        checkTemperature(temperature);
        this.temperature = temperature;
    }

    private static void checkTemperature(double temperature) {
        Check.positive("SlotQuantizer", "temperature", temperature);
        Limits.divisor("SlotQuantizer", "temperature", temperature, DataType.FLOAT32);
    }

    /**
     * Quantises slots at the block's temperature, with draws of the engine's generator in training.
     *
     * @param parameterStore where the parameters' values are
     * @param slots (B, K, D)
     * @param training whether to sample and to record a graph for gradients, or to take the most
     *     probable codes
     * @return slots, codes and logits, owned by the manager of the slots
     * @throws IllegalArgumentException if the slots have another shape or type
     */
    public QuantizedSlots quantize(ParameterStore parameterStore, NDArray slots, boolean training) {
        return quantize(parameterStore, slots, null, temperature, training);
    }

    /**
     * Quantises slots.
     *
     * @param parameterStore where the parameters' values are
     * @param slots (B, K, D)
     * @param gumbel draws from the standard Gumbel distribution, (B, K, L, M); null to draw them
     * @param temperature from 1e-20 to 1e20, in float16 from 1e-4 to 1e4
     * @param training whether to sample and to record a graph for gradients, or to take the most
     *     probable codes
     * @return slots, codes and logits, owned by the manager of the slots
     * @throws IllegalArgumentException if an input has another shape or type, or the temperature is
     *     not above 0
     */
    public QuantizedSlots quantize(
            ParameterStore parameterStore,
            NDArray slots,
            @Nullable NDArray gumbel,
            double temperature,
            boolean training) {
        checkTemperature(temperature);
        Check.shape(who(), QuantizedSlots.SLOTS, slots, "B", "K", dim);
        Check.floating(who(), QuantizedSlots.SLOTS, slots.getDataType());
        if (training) {
            Limits.divisor(who(), "temperature", temperature, slots.getDataType());
        }
        if (gumbel != null) {
            Shape s = slots.getShape();
            Check.shape(who(), GUMBEL, gumbel, s.get(0), s.get(1), latents, codes);
            Check.sameTypeAndDevice(who(), GUMBEL, gumbel, QuantizedSlots.SLOTS, slots);
        }
        NDList out =
                compute(
                        parameterStore,
                        slots,
                        training,
                        pass -> {
                            var in = new CategoricalLatents(slots.getShape(), codebooks(pass));
                            NDArray logits = in.logits(slots, pass.value(forms));
                            return training
                                    ? in.sampled(
                                            logits,
                                            in.sample(logits, gumbel, temperature),
                                            straightThrough)
                                    : in.mostProbable(logits);
                        });
        return new QuantizedSlots(out.get(0), out.get(1), out.get(2));
    }

    /** {@inheritDoc} */
    @Override
    protected NDList outputs(ParameterStore parameterStore, NDList inputs, boolean training) {
        NDArray gumbel = null;
        NDArray slots = null;
        for (NDArray array : inputs) {
            if (GUMBEL.equals(array.getName())) {
                gumbel = array;
            } else if (slots == null || QuantizedSlots.SLOTS.equals(array.getName())) {
                slots = array;
            }
        }
        NDArray s = Check.present(who(), QuantizedSlots.SLOTS, slots);
        return quantize(parameterStore, s, gumbel, temperature, training).toNDList();
    }

    /** {@inheritDoc} */
    @Override
    protected Shape[] outputShapes(Shape[] inputShapes) {
        Shape s = inputShapes[0];
        Check.shape(who(), QuantizedSlots.SLOTS, s, "B", "K", dim);
        long b = s.get(0);
        long k = s.get(1);
        return new Shape[] {
            new Shape(b, k, outputDim()), new Shape(b, k, latents), new Shape(b, k, latents, codes)
        };
    }

    /** {@inheritDoc} */
    @Override
    protected Options configuration() {
        return Options.of("dim", dim)
                .and("latents", latents)
                .and("codes", codes)
                .and("codeDim", codeDim);
    }

    /**
     * Starts the description of a quantizer.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Describes a {@link SlotQuantizer}. */
    public static final class Builder {
        private int dim;
        private int latents = 4;
        private int codes;
        private @Nullable Integer codeDim;
        private double temperature = 1;
        private boolean straightThrough;

        private Builder() {}

        /**
         * Sets the size of a slot, D.
         *
         * @param dim at least 1
         * @return this
         */
        public Builder setDim(int dim) {
            this.dim = dim;
            return this;
        }

        /**
         * Sets the number of codes of each latent, M.
         *
         * @param codes at least 1
         * @return this
         */
        public Builder setCodes(int codes) {
            this.codes = codes;
            return this;
        }

        /**
         * Sets the number of latents of a slot, L.
         *
         * @param latents at least 1; 4 if not set
         * @return this
         */
        public Builder optLatents(int latents) {
            this.latents = latents;
            return this;
        }

        /**
         * Sets the size of a code, E.
         *
         * @param codeDim at least 1; D / L if not set
         * @return this
         */
        public Builder optCodeDim(int codeDim) {
            this.codeDim = codeDim;
            return this;
        }

        /**
         * Sets the temperature of calls that do not say theirs, until {@link
         * SlotQuantizer#setTemperature} sets another.
         *
         * @param temperature from 1e-20 to 1e20, in float16 from 1e-4 to 1e4; 1 if not set
         * @return this
         */
        public Builder optTemperature(double temperature) {
            this.temperature = temperature;
            return this;
        }

        /**
         * Sets whether slots are made of one code for each latent in training too, with the
         * gradient of the soft sample.
         *
         * @param straightThrough false if not set
         * @return this
         */
        public Builder optStraightThrough(boolean straightThrough) {
            this.straightThrough = straightThrough;
            return this;
        }

        /**
         * Builds the block.
         *
         * @return the block
         * @throws IllegalArgumentException if an option is missing or out of range
         */
        public SlotQuantizer build() {
            String who = "SlotQuantizer";
            Check.atLeast(who, "dim", dim, 1);
            Check.atLeast(who, "latents", latents, 1);
            Check.atLeast(who, "codes", codes, 1);
            if (codeDim == null) {
                Check.option(
                        dim % latents == 0,
                        who
                                + ": dim must be a multiple of latents where codeDim is not set, got "
                                + dim
                                + " and "
                                + latents);
            } else {
                Check.atLeast(who, "codeDim", codeDim, 1);
            }
            checkTemperature(temperature);
            return new SlotQuantizer(this);
        }
    }
}
