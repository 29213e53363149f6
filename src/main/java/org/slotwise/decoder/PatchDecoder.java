package org.slotwise.decoder;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.Initializer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slotwise.grouping.PerceptualGroupingOutput;
import org.slotwise.internal.Check;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.ImageGroups;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Options;
import org.slotwise.internal.Pass;
import org.slotwise.layer.Layer;
import org.slotwise.layer.LeakyRelu;
import org.slotwise.layer.Linear;
import org.slotwise.layer.Perceptron;
import org.slotwise.layer.StartingValues;
import org.slotwise.torchscript.ScriptModule;
import org.slotwise.torchscript.Scriptable;

/**
 * Decodes each slot to the features of all patches, by a perceptron on the slot and the patch's
 * learnt embedding; a softmax over slots settles which slot a patch is of.
 *
 * <p>Source: the MLP decoder of Seitzer et al., "Bridging the Gap to Real-World Object-Centric
 * Learning" (2023), section 3.2; {@code ocl.decoding.PatchDecoder} of the Object-Centric Learning
 * Framework.
 *
 * <pre>{@code
 * z = s + e                                       for slot s and patch embedding e
 * h = relu(W z + b)                               once for each hidden layer
 * f, a = W h + b                                  F features and 1 alpha
 * masks = softmax over slots of a
 * reconstruction = sum over slots of masks * f
 * }</pre>
 *
 * <ul>
 *   <li>slots (B, K, D), of the parameters' type; K may change from call to call.
 *   <li>reconstruction (B, N, F), masks (B, K, N).
 * </ul>
 *
 * <p>Differs from the source in the order of computation: the first layer is applied to slots and
 * embeddings before they are added, and the last one to the hidden layer's mean under the masks.
 * Both are linear, so that values agree up to rounding, and each is computed K times less often or
 * more. The features of single slots are never made.
 *
 * <p>Parameters: {@code pos_embed} (1, N, D), {@code decoder.0.weight}, {@code decoder.0.bias},
 * {@code decoder.2.weight}, ...; {@code inp_transform.weight} and {@code .bias} where slots are
 * first brought to another size. They start as the source's do.
 */
public final class PatchDecoder extends FeatureDecoder implements Scriptable {

    private final int patches;
    private final int[] hidden;
    private final @Nullable Integer inputDim;
    private final Layer input;
    private final Parameter embedding;
    private final List<Linear> maps = new ArrayList<>();
    private final Perceptron hiddenMaps;

    private PatchDecoder(Builder builder) {
        super(builder);
        patches = builder.patches;
        hidden = builder.hidden.clone();
        inputDim = builder.inputDim;
        int dim = inputDim == null ? slotDim : inputDim;
        Initializer xavier = StartingValues.xavier(slotDim, dim);
        input =
                inputDim == null
                        ? Layer.NONE
                        : linear(declarer().under("inp_transform"), slotDim, dim, xavier);
        embedding =
                declarer().other("pos_embed", StartingValues.normal(0.02), true, 1, patches, dim);
        int in = dim;
        for (int i = 0; i <= hidden.length; i++) {
            int out = i < hidden.length ? hidden[i] : featureDim + 1;
            Declarer map = declarer().under("decoder." + 2 * i);
            maps.add(linear(map, in, out, StartingValues.linear(in)));
            in = out;
        }
        hiddenMaps = Perceptron.of(maps.subList(Math.min(1, hidden.length), hidden.length));
    }

    private static Linear linear(Declarer parameters, int in, int out, Initializer weight) {
        return Linear.of(parameters, in, out, weight, Initializer.ZEROS);
    }

    /**
     * Decodes slots.
     *
     * @param parameterStore where the parameters' values are
     * @param slots (B, K, D), of the parameters' type
     * @param training whether to record a graph for gradients
     * @return features (B, N, F) and masks (B, K, N), owned by the manager of the slots
     * @throws IllegalArgumentException if the slots have another shape, type or device than the
     *     block expects
     */
    public FeatureDecoding decode(ParameterStore parameterStore, NDArray slots, boolean training) {
        checked(slots);
        long widest = Arrays.stream(hidden).max().orElse(featureDim);
        long numbers = slots.getShape().get(1) * patches * widest;
        return FeatureDecoding.from(
                compute(
                        parameterStore,
                        slots,
                        training,
                        pass ->
                                ImageGroups.map(
                                        numbers,
                                        new NDList(slots),
                                        group -> decodeGroup(pass, group.head()))));
    }

    private NDList decodeGroup(Pass pass, NDArray slots) {
        Linear last = maps.get(hidden.length);
        NDArray h = lastHidden(pass, input.apply(pass, slots)); // (B, K, N, hidden)
        NDArray w = last.weight(pass);
        NDArray b = Objects.requireNonNull(last.bias(pass));
        NDArray alpha = Ops.linear(h, w.get("{}:", featureDim), b.get("{}:", featureDim));
        NDArray masks = alpha.squeeze(3).softmax(1); // (B, K, N)
        NDArray mixed = h.mul(masks.expandDims(3)).sum(new int[] {1}); // (B, N, hidden)
        NDArray reconstruction =
                Ops.linear(mixed, w.get("0:{}", featureDim), b.get("0:{}", featureDim));
        return new NDList(reconstruction, masks);
    }

    /** What the last map takes; s + e, where there is no hidden layer. */
    private NDArray lastHidden(Pass pass, NDArray s) {
        NDArray e = pass.value(embedding); // (1, N, D)
        if (hidden.length == 0) {
            return s.expandDims(2).add(e);
        }
        Linear first = maps.get(0);
        NDArray ofSlots = first.apply(pass, s).expandDims(2);
        NDArray ofPatches = Ops.linear(e, first.weight(pass), null);
        return LeakyRelu.NONE.ofMap(pass, hiddenMaps.applyToHidden(pass, ofSlots.add(ofPatches)));
    }

    @Override
    NDList decode(ParameterStore store, NDList inputs, boolean training) {
        NDArray slots = PerceptualGroupingOutput.from(inputs).objects();
        return decode(store, slots, training).toNDList();
    }

    /** {@inheritDoc} */
    @Override
    protected Shape[] outputShapes(Shape[] inputShapes) {
        return shapes(checked(inputShapes[0]), patches);
    }

    /** {@inheritDoc} */
    @Override
    protected Options configuration() {
        return Options.of("slotDim", slotDim)
                .and("featureDim", featureDim)
                .and("patches", patches)
                .and("hidden", Arrays.toString(hidden))
                .and("inputDim", inputDim);
    }

    /** {@inheritDoc} */
    @Override
    public ScriptModule script() {
        boolean transformed = inputDim != null;
        return ScriptModule.builder("PatchDecoder")
                .parameter("pos_embed", embedding)
                .module("inp_transform", transformed ? ScriptModule.of(who(), input) : null)
                .module("decoder", Perceptron.of(maps).script())
                .setCode(
                        """
                        def forward(self, slots: Tensor) -> Dict[str, Tensor]:
                          s = %1$s
                          y = self.decoder.forward(torch.add(torch.unsqueeze(s, 2), self.pos_embed))
                          masks = torch.softmax(torch.select(y, 3, %2$s), 1)
                          f = torch.slice(y, 3, 0, %2$s, 1)
                          r = torch.sum(torch.mul(f, torch.unsqueeze(masks, 3)), [1])
                          return {"reconstruction": r, "masks": masks}
                        """
                                .formatted(
                                        transformed ? "self.inp_transform.forward(slots)" : "slots",
                                        featureDim))
                .build();
    }

    /**
     * Starts the description of a decoder.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Describes a {@link PatchDecoder}. */
    public static final class Builder extends FeatureDecoder.Builder<Builder> {
        private int patches;
        private int[] hidden = {1024, 1024, 1024};
        private @Nullable Integer inputDim;

        private Builder() {}

        @Override
        Builder self() {
            return this;
        }

        /**
         * Sets how many patches an image has, N.
         *
         * @param patches at least 1
         * @return this
         */
        public Builder setPatches(int patches) {
            this.patches = patches;
            return this;
        }

        /**
         * Sets the sizes of the hidden layers.
         *
         * @param hidden each at least 1; none for a linear decoder; 1024, 1024, 1024 if not set, as
         *     the source for MOVi, which has 2048 for photographs
         * @return this
         */
        public Builder optHidden(int... hidden) {
            this.hidden = hidden.clone();
            return this;
        }

        /**
         * Sets the size to which slots are brought before the embeddings are added.
         *
         * @param inputDim at least 1; if not set slots are taken as they are
         * @return this
         */
        public Builder optInputDim(int inputDim) {
            this.inputDim = inputDim;
            return this;
        }

        /**
         * Builds the block.
         *
         * @return the block
         * @throws IllegalArgumentException if an option is missing or out of range
         */
        public PatchDecoder build() {
            String who = "PatchDecoder";
            check(who);
            Check.atLeast(who, "patches", patches, 1);
            Check.option(
                    Arrays.stream(hidden).allMatch(size -> size > 0),
                    who + ": hidden must be at least 1, got " + Arrays.toString(hidden));
            Check.option(
                    inputDim == null || inputDim > 0,
                    who + ": inputDim must be at least 1, got " + inputDim);
            return new PatchDecoder(this);
        }
    }
}
