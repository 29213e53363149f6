package org.slotwise.quantization;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.ConfiguredBlock;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Scope;
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
public final class SlotQuantizer extends ConfiguredBlock {

    /** The name of the Gumbel draws in an {@link NDList}. */
    public static final String GUMBEL = "gumbel";

    private final int dim;
    private final int latents;
    private final int codes;
    private final int codeDim;
    private final boolean straightThrough;
    private volatile double temperature;

    private final Parameter forms;
    private final Parameter codebooks;

    private SlotQuantizer(Builder builder) {
        dim = builder.dim;
        latents = builder.latents;
        codes = builder.codes;
        codeDim = builder.codeDim == null ? dim / latents : builder.codeDim;
        straightThrough = builder.straightThrough;
        temperature = builder.temperature;
        forms =
                declare(
                        "bilinear.weight",
                        Parameter.Type.WEIGHT,
                        StartingValues.linear(dim),
                        latents,
                        dim,
                        codeDim);
        codebooks =
                declare(
                        "codebooks",
                        Parameter.Type.OTHER,
                        StartingValues.normal(1),
                        latents,
                        codes,
                        codeDim);
    }

    @Override
    protected String inputName() {
        return QuantizedSlots.SLOTS;
    }

    /**
     * The number of latents of a slot.
     *
     * @return L
     */
    public int latents() {
        return latents;
    }

    /**
     * The number of codes of a latent.
     *
     * @return M
     */
    public int codes() {
        return codes;
    }

    /**
     * The size of a slot that is made of codes.
     *
     * @return L E
     */
    public int outputDim() {
        return latents * codeDim;
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
     * @param temperature above 0; low ones sample nearly one code, high ones nearly the mean
     * @throws IllegalArgumentException if the temperature is not above 0
     */
    public void setTemperature(double temperature) {
        checkTemperature(temperature);
        this.temperature = temperature;
    }

    private static void checkTemperature(double temperature) {
        Check.option(
                temperature > 0 && temperature < Double.POSITIVE_INFINITY,
                "SlotQuantizer: temperature must be above 0 and finite, got " + temperature);
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
     * @param temperature above 0
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
        if (gumbel != null) {
            Shape s = slots.getShape();
            Check.shape(who(), GUMBEL, gumbel, s.get(0), s.get(1), latents, codes);
            Check.sameTypeAndDevice(who(), GUMBEL, gumbel, QuantizedSlots.SLOTS, slots);
        }
        NDArray w = value(parameterStore, forms, slots, training);
        NDArray e = value(parameterStore, codebooks, slots, training);
        return NoGraph.unless(
                training,
                () -> {
                    try (Scope scope = new Scope()) {
                        Latents in = new Latents(slots, w, e);
                        NDArray chosen; // (L, B K)
                        NDArray made; // (L, B K, E)
                        if (training) {
                            NDArray y = in.sample(gumbel, temperature);
                            chosen = y.argMax(2);
                            made = (straightThrough ? hard(y, chosen) : y).matMul(e);
                        } else {
                            chosen = in.logits.argMax(2);
                            made = lookUp(e, chosen);
                        }
                        return new QuantizedSlots(
                                scope.keep(in.sideBySide(made), slots.getManager()),
                                scope.keep(in.slotsFirst(chosen), slots.getManager()),
                                scope.keep(in.slotsFirst(in.logits), slots.getManager()));
                    }
                });
    }

    /** The latents of some slots; their axis comes first, for the products. */
    private final class Latents {
        final Shape slots;
        final NDArray logits; // (L, B K, M)

        Latents(NDArray s, NDArray w, NDArray e) {
            slots = s.getShape();
            NDArray rows = s.reshape(1, slots.get(0) * slots.get(1), dim);
            logits = rows.matMul(w).matMul(e.swapAxes(1, 2));
        }

        /** y (L, B K, M). */
        NDArray sample(@Nullable NDArray gumbel, double temperature) {
            NDArray noise =
                    gumbel == null
                            ? Gumbel.draw(logits)
                            : gumbel.reshape(-1, latents, codes).swapAxes(0, 1);
            return logits.add(noise).div(Scalars.like(logits, temperature)).softmax(2);
        }

        /** (L, B K, E) to (B, K, L E). */
        NDArray sideBySide(NDArray made) {
            return made.swapAxes(0, 1).reshape(slots.get(0), slots.get(1), outputDim());
        }

        /** (L, B K, ...) to (B, K, L, ...). */
        NDArray slotsFirst(NDArray array) {
            Shape rest = array.getShape().slice(2);
            Shape shape = new Shape(slots.get(0), slots.get(1), latents).addAll(rest);
            return array.swapAxes(0, 1).reshape(shape);
        }
    }

    /** One at the chosen code in value, y in gradient. */
    private static NDArray hard(NDArray y, NDArray chosen) {
        NDArray oneHot = chosen.oneHot((int) y.getShape().get(2), y.getDataType()).stopGradient();
        return oneHot.add(y.sub(y.stopGradient()));
    }

    /** e[l, chosen[l]], (L, R, E), for codes chosen (L, R). */
    private NDArray lookUp(NDArray e, NDArray chosen) {
        // The codebooks one below the other: code m of latent l is row l M + m.
        NDArray first =
                Ops.range(chosen, latents).mul(Ops.indices(chosen, codes)).expandDims(1); // (L, 1)
        return Ops.rows(e.reshape((long) latents * codes, codeDim), chosen.add(first));
    }

    /**
     * Makes slots of codes: what {@link #quantize} gives in inference for these codes.
     *
     * @param parameterStore where the parameters' values are
     * @param codes (B, K, L) int64, each from 0 to M - 1
     * @param training whether to record a graph for gradients, to the codebooks
     * @return slots (B, K, L E), owned by the manager of the codes
     * @throws IllegalArgumentException if the codes have another shape, type or range
     */
    public NDArray decode(ParameterStore parameterStore, NDArray codes, boolean training) {
        checkCodes(codes);
        NDArray e = value(parameterStore, codebooks, codes.getDevice(), training);
        Shape shape = codes.getShape();
        return NoGraph.unless(
                training,
                () -> {
                    try (Scope scope = new Scope()) {
                        double[] range =
                                Ops.read(NDArrays.stack(new NDList(codes.min(), codes.max())));
                        Check.option(
                                range[0] >= 0 && range[1] < this.codes,
                                who()
                                        + ": codes must be from 0 to "
                                        + (this.codes - 1)
                                        + ", got "
                                        + (long) (range[0] < 0 ? range[0] : range[1]));
                        NDArray made = lookUp(e, codes.reshape(-1, latents).swapAxes(0, 1));
                        NDArray slots =
                                made.swapAxes(0, 1)
                                        .reshape(shape.get(0), shape.get(1), outputDim());
                        return scope.keep(slots, codes.getManager());
                    }
                });
    }

    private void checkCodes(NDArray codes) {
        Check.shape(who(), QuantizedSlots.CODES, codes, "B", "K", latents);
        Check.type(who(), QuantizedSlots.CODES, codes, DataType.INT64, "");
    }

    /**
     * Codes with one latent of one slot set to another code. {@link #decode} makes slots of them:
     * only the part of that latent differs.
     *
     * @param codes (B, K, L) int64; not changed
     * @param image the image's number
     * @param slot the slot's number
     * @param latent the latent's number
     * @param code the code that it gets
     * @return (B, K, L) int64, owned by the manager of the codes
     * @throws IllegalArgumentException if the codes have another shape or type, or a number is out
     *     of range
     */
    public NDArray edited(NDArray codes, long image, long slot, long latent, long code) {
        checkCodes(codes);
        Shape shape = codes.getShape();
        inRange("image", image, shape.get(0));
        inRange("slot", slot, shape.get(1));
        inRange("latent", latent, latents);
        inRange("code", code, this.codes);
        try (Scope scope = new Scope()) {
            NDArray copy = scope.keep(codes.duplicate(), codes.getManager());
            copy.setName(null);
            copy.set(new NDIndex(image, slot, latent), code);
            return copy;
        }
    }

    private void inRange(String what, long number, long count) {
        Check.option(
                number >= 0 && number < count,
                who() + ": " + what + " must be from 0 to " + (count - 1) + ", got " + number);
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore parameterStore,
            NDList inputs,
            boolean training,
            @Nullable PairList<String, Object> params) {
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
    public Shape[] getOutputShapes(Shape[] inputShapes) {
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
    protected Map<String, Object> configuration() {
        Map<String, Object> options = new LinkedHashMap<>();
        options.put("dim", dim);
        options.put("latents", latents);
        options.put("codes", codes);
        options.put("codeDim", codeDim);
        return options;
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
         * @param temperature above 0; 1 if not set
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
