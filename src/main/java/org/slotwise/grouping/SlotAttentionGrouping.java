package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Options;
import org.slotwise.internal.Pass;
import org.slotwise.layer.StartingValues;
import org.slotwise.torchscript.ScriptModule;
import org.slotwise.torchscript.Scriptable;

/**
 * Perceptual grouping by {@link SlotAttention}, with positions added to the features beforehand and
 * a learnt vector in place of masked slots, both if wished.
 *
 * <p>Source: Locatello et al., "Object-Centric Learning with Slot Attention" (2020); {@code
 * ocl.perceptual_grouping.SlotAttentionGrouping}.
 *
 * <pre>{@code
 * x = positionalEmbedding(features, positions)     if there is one
 * s, a = SlotAttention(x, conditioning, slot mask)
 * s[slot mask] = empty slot                        if asked for
 * }</pre>
 *
 * <ul>
 *   <li>features (B, N, F'), positions (N, spatial dimensions), where F' is what the positional
 *       embedding expects, and F, Slot Attention's feature size, if there is none.
 *   <li>conditioning (B, K, D), slot mask (B, K) boolean, true = masked.
 *   <li>objects (B, K, D), feature attributions (B, K, N), empty: the slot mask, if given.
 * </ul>
 *
 * <p>On an {@link NDList} the inputs are, in this order where they carry no names: features,
 * positions (only with a positional embedding), conditioning, slot mask.
 *
 * <p>No array that comes in is changed. The reference writes the empty slot into Slot Attention's
 * result; the values are the same.
 */
public final class SlotAttentionGrouping extends GroupingBlock
        implements TracedGrouping, Scriptable {

    private final SlotAttention slotAttention;
    private final @Nullable Block positionalEmbedding;
    private final @Nullable Parameter emptySlot;

    private SlotAttentionGrouping(SlotAttention slotAttention, Builder builder) {
        this.slotAttention = addChildBlock("slot_attention", slotAttention);
        positionalEmbedding = builder.positionalEmbedding;
        if (positionalEmbedding != null) {
            addChildBlock("positional_embedding", positionalEmbedding);
        }
        int dim = slotAttention.dim();
        emptySlot =
                builder.emptySlotForMasked
                        ? declare(
                                "empty_slot",
                                Parameter.Type.OTHER,
                                StartingValues.normal(1 / Math.sqrt(dim)),
                                dim)
                        : null;
    }

    /**
     * The size of an object.
     *
     * @return D
     */
    public int objectDim() {
        return slotAttention.dim();
    }

    /** {@inheritDoc} */
    @Override
    public PerceptualGroupingOutput group(
            ParameterStore parameterStore,
            FeatureExtractorOutput features,
            @Nullable NDArray conditioning,
            @Nullable NDArray slotMask,
            boolean training) {
        return group(parameterStore, features, conditioning, slotMask, training, null);
    }

    /** {@inheritDoc} */
    @Override
    public AttentionTrace<PerceptualGroupingOutput> trace(
            ParameterStore parameterStore,
            FeatureExtractorOutput features,
            @Nullable NDArray conditioning,
            @Nullable NDArray slotMask) {
        NDList attentions = new NDList();
        PerceptualGroupingOutput out =
                group(parameterStore, features, conditioning, slotMask, false, attentions);
        return new AttentionTrace<>(out, attentions.head());
    }

    private PerceptualGroupingOutput group(
            ParameterStore parameterStore,
            FeatureExtractorOutput features,
            @Nullable NDArray conditioning,
            @Nullable NDArray slotMask,
            boolean training,
            @Nullable NDList attentions) {
        NDArray x = features.images(who());
        if (positionalEmbedding == null) {
            slotAttention.inputs().check(who(), x, conditioning, slotMask);
        } else {
            slotAttention.inputs().check(who(), x, x.getShape().get(2), conditioning, slotMask);
        }
        NDList out =
                compute(
                        parameterStore,
                        x,
                        training,
                        pass -> {
                            NDList seen = attentions == null ? null : new NDList();
                            PerceptualGroupingOutput grouped =
                                    slotAttention.group(
                                            pass.store(),
                                            embed(pass, features),
                                            conditioning,
                                            slotMask,
                                            training,
                                            seen);
                            NDArray slots = grouped.objects();
                            if (slotMask != null && emptySlot != null) {
                                slots = replaceMasked(slots, slotMask, pass.value(emptySlot));
                            }
                            NDList found = new NDList(slots, grouped.attributions());
                            return seen == null ? found : found.addAll(seen);
                        });
        if (attentions != null) {
            attentions.add(out.get(2));
        }
        return new PerceptualGroupingOutput(
                out.get(0), out.get(1), SlotAttentionInputs.isEmpty(slotMask, x));
    }

    private FeatureExtractorOutput embed(Pass pass, FeatureExtractorOutput features) {
        if (positionalEmbedding == null) {
            return features;
        }
        NDArray positions = features.positions();
        if (positions == null) {
            throw new IllegalArgumentException(
                    who() + ": positions are missing: the positional embedding needs them");
        }
        return new FeatureExtractorOutput(
                pass.forward(positionalEmbedding, features.features(), positions));
    }

    /** The empty slot where the mask is true, the slots elsewhere. */
    private static NDArray replaceMasked(NDArray slots, NDArray slotMask, NDArray empty) {
        Shape shape = slots.getShape();
        return NDArrays.where(
                slotMask.expandDims(2).broadcast(shape), empty.broadcast(shape), slots);
    }

    @Override
    String[] inputNames() {
        return positionalEmbedding == null
                ? GroupingInputs.MASKED
                : new String[] {
                    FeatureExtractorOutput.FEATURES,
                    FeatureExtractorOutput.POSITIONS,
                    GroupingInputs.CONDITIONING,
                    GroupingInputs.SLOT_MASK
                };
    }

    /** {@inheritDoc} */
    @Override
    protected Shape[] outputShapes(Shape[] inputShapes) {
        Shape features = inputShapes[0];
        if (positionalEmbedding == null) {
            return slotAttention.inputs().outputShapes(who(), features, inputShapes, 1);
        }
        if (inputShapes.length < 2) {
            throw new IllegalArgumentException(who() + ": positions are missing");
        }
        Shape embedded =
                positionalEmbedding.getOutputShapes(new Shape[] {features, inputShapes[1]})[0];
        return slotAttention.inputs().outputShapes(who(), embedded, inputShapes, 2);
    }

    /** {@inheritDoc} */
    @Override
    protected void initializeChildBlocks(
            NDManager manager, DataType dataType, Shape... inputShapes) {
        slotAttention.initialize(manager, dataType, inputShapes);
        if (positionalEmbedding != null) {
            positionalEmbedding.initialize(manager, dataType, inputShapes);
        }
    }

    /** {@inheritDoc} */
    @Override
    protected Options configuration() {
        return Options.of("positionalEmbedding", positionalEmbedding != null)
                .and("emptySlotForMasked", emptySlot != null);
    }

    /** {@inheritDoc} */
    @Override
    public ScriptModule script() {
        String places = positionalEmbedding == null ? "" : "positions: Tensor, ";
        String embedded =
                positionalEmbedding == null
                        ? "features"
                        : "self.positional_embedding.forward(features, positions)";
        String replaced =
                emptySlot == null
                        ? ""
                        : """
                          if torch.__isnot__(slot_mask, None):
                            m = torch.unsqueeze(unchecked_cast(Tensor, slot_mask), 2)
                            s = torch.where(m, self.empty_slot, torch.__getitem__(out, "objects"))
                            torch._set_item(out, "objects", s)
                        """
                                .stripTrailing();
        String code =
                """
                def forward(self, features: Tensor, %1$sconditioning: Tensor, slot_mask: Optional[Tensor]=None) -> Dict[str, Tensor]:
                  out = self.slot_attention.forward(%2$s, conditioning, slot_mask)
                %3$s
                  return out
                def group(self, features: Tensor, positions: Tensor, conditioning: Tensor) -> Dict[str, Tensor]:
                  return self.forward(features, %4$sconditioning, None)
                """
                        .formatted(
                                places,
                                embedded,
                                replaced,
                                positionalEmbedding == null ? "" : "positions, ");
        return ScriptModule.builder("SlotAttentionGrouping")
                .module("slot_attention", slotAttention.script())
                .module(
                        "positional_embedding",
                        positionalEmbedding == null
                                ? null
                                : ScriptModule.of(who(), positionalEmbedding))
                .parameter("empty_slot", emptySlot)
                .setCode(code)
                .build();
    }

    /**
     * Starts the description of a grouping.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Describes a {@link SlotAttentionGrouping}. */
    public static final class Builder {
        private @Nullable SlotAttention slotAttention;
        private @Nullable Block positionalEmbedding;
        private boolean emptySlotForMasked;

        private Builder() {}

        /**
         * Sets the attention.
         *
         * @param slotAttention a block that is used nowhere else
         * @return this
         */
        public Builder setSlotAttention(SlotAttention slotAttention) {
            this.slotAttention = slotAttention;
            return this;
        }

        /**
         * Sets a block that adds positions to the features, {@code SoftPositionEmbed} for instance.
         *
         * @param positionalEmbedding from features (B, N, F') and positions (N, spatial dimensions)
         *     to features (B, N, F)
         * @return this
         */
        public Builder optPositionalEmbedding(Block positionalEmbedding) {
            this.positionalEmbedding = positionalEmbedding;
            return this;
        }

        /**
         * Sets whether masked slots are replaced by a learnt vector. It starts as N(0, 1) /
         * sqrt(D).
         *
         * @param emptySlotForMasked false if not set
         * @return this
         */
        public Builder optEmptySlotForMasked(boolean emptySlotForMasked) {
            this.emptySlotForMasked = emptySlotForMasked;
            return this;
        }

        /**
         * Builds the block.
         *
         * @return the block
         * @throws IllegalArgumentException if there is no attention
         */
        public SlotAttentionGrouping build() {
            if (slotAttention == null) {
                throw new IllegalArgumentException(
                        "SlotAttentionGrouping: slotAttention must be set");
            }
            return new SlotAttentionGrouping(slotAttention, this);
        }
    }
}
