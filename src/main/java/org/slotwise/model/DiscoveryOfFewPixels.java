package org.slotwise.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slotwise.decoder.ShapeAndColourDecoder;
import org.slotwise.decoder.SlotDecoding;
import org.slotwise.decoder.SpatialBroadcastDecoder;
import org.slotwise.encoder.ContentAndPlaceEncoder;
import org.slotwise.encoder.SlotAttentionEncoder;
import org.slotwise.grouping.FeatureExtractorOutput;
import org.slotwise.grouping.InvariantSlotAttention;
import org.slotwise.grouping.PerceptualGroupingOutput;
import org.slotwise.grouping.PositionedSlots;
import org.slotwise.grouping.SlotAttention;
import org.slotwise.internal.Pass;
import org.slotwise.model.SlotGrouping.Found;
import org.slotwise.model.SlotStart.Beginning;
import org.slotwise.model.SlotStart.Unseeing;
import org.slotwise.torchscript.DiscoveryScript;
import org.slotwise.torchscript.LoadedByType;
import org.slotwise.torchscript.LoadedScript;

/**
 * Inference of a whole model on few pixels as one call of the engine, for models of the paper's
 * make and of that of the shipped ones, whose slots have places: with a single small picture calls
 * are what takes time. Where the iterations of these are few numbers, loops of Java's own compute
 * them, and the engine is called for what comes before and for what comes after.
 */
final class DiscoveryOfFewPixels {

    /** Pixels of a batch beyond which numbers take longer than calls. */
    private static final long FEW = 64 * 64;

    /** The same for pixels times slots, where slots have places and one is decoded at a time. */
    private static final long FEW_PLACED = 64 * FEW;

    private final @Nullable Unseeing start; // null where the equations have it
    private final long slots;
    private final LoadedByType whole;
    private final DiscoveryParts made;
    private final @Nullable InvariantSlotAttention placed; // null for the paper's make
    private final int times;

    private DiscoveryOfFewPixels(
            @Nullable Unseeing start,
            LoadedByType whole,
            DiscoveryParts made,
            GroupingConfiguration grouping) {
        this.start = start;
        this.whole = whole;
        this.made = made;
        slots = made.sizes().slots();
        placed =
                start == null && made.grouping().block() instanceof InvariantSlotAttention block
                        ? block
                        : null;
        times =
                grouping instanceof GroupingConfiguration.InvariantSlotAttention c
                        ? c.iterations()
                        : 0;
    }

    /** The call for a model; null if it is of another make. */
    static @Nullable DiscoveryOfFewPixels of(
            DiscoveryParts made, ObjectDiscoveryConfiguration configuration) {
        Block encoder = made.encoder().block();
        Block grouping = made.grouping().block();
        Block decoder = made.decoder().block();
        Unseeing start = made.conditioning().unseeing();
        Block begin = made.conditioning().block();
        boolean ofThePaper =
                start != null
                        && encoder instanceof SlotAttentionEncoder
                        && grouping instanceof SlotAttention
                        && decoder instanceof SpatialBroadcastDecoder;
        // A start that is drawn is settled outside the equations, which would draw it anew.
        boolean placed =
                start == null
                        && begin != null
                        && encoder instanceof ContentAndPlaceEncoder
                        && grouping instanceof InvariantSlotAttention
                        && decoder instanceof ShapeAndColourDecoder;
        if (!ofThePaper && !placed) {
            return null;
        }
        double mean = configuration.colours().mean();
        double deviation = configuration.colours().deviation();
        LoadedByType whole =
                LoadedByType.of(
                        () ->
                                start != null || begin == null
                                        ? DiscoveryScript.ofGivenSlots(
                                                encoder, grouping, decoder, mean, deviation)
                                        : PlacedDiscoveryScript.of(
                                                encoder, begin, grouping, decoder, configuration));
        return new DiscoveryOfFewPixels(start, whole, made, configuration.grouping());
    }

    /** Whether images are few enough. */
    boolean suits(NDArray images) {
        Shape s = images.getShape();
        long pixels = s.get(0) * s.get(2) * s.get(3);
        if (start != null) {
            return pixels <= FEW;
        }
        // Not all of the operations that join others are there for float16 on a CPU.
        boolean wide = images.getDataType() != DataType.FLOAT16;
        return wide && slots * pixels <= FEW_PLACED;
    }

    /** All that the model gives, by name; nothing if the call cannot be taken so. */
    NDList call(Pass pass, ParameterStore store, NDArray images) {
        LoadedScript script = whole.of(images);
        if (!script.fits(pass, images)) {
            return new NDList();
        }
        if (start != null) {
            return script.call("forward", images, start.of(store, images, false));
        }
        return isLooped(images) ? inThree(script, store, images) : script.call("forward", images);
    }

    /** Whether the iterations of the grouping are so few numbers that the engine takes longer. */
    boolean isLooped(NDArray images) {
        long batch = images.getShape().get(0);
        Sizes sizes = made.sizes();
        return placed != null
                && placed.isSmall(
                        images,
                        new Shape(batch, sizes.features(), sizes.featureDim()),
                        new Shape(batch, slots, sizes.slotDim()),
                        times);
    }

    /** One call for all that comes before the grouping, and one for all that comes after it. */
    private NDList inThree(LoadedScript script, ParameterStore store, NDArray images) {
        try (NDList before = script.call("before", images)) {
            NDArray values = Objects.requireNonNull(before.get("conditioning"));
            NDArray guess = before.get("guess");
            NDArray isEmpty = before.get(PerceptualGroupingOutput.IS_EMPTY);
            Beginning beginning =
                    new Beginning(
                            values,
                            before.get(PositionedSlots.SLOT_POSITIONS),
                            guess == null
                                    ? null
                                    : new PerceptualGroupingOutput(values, guess, isEmpty));
            FeatureExtractorOutput features =
                    new FeatureExtractorOutput(
                            Objects.requireNonNull(before.get(FeatureExtractorOutput.FEATURES)),
                            before.get(FeatureExtractorOutput.POSITIONS));
            Found found = made.grouping().way().group(store, features, beginning, false);
            NDArray objects = found.slots().objects();
            NDArray positions = Objects.requireNonNull(found.positions());
            NDList out =
                    isEmpty == null
                            ? script.call("after", objects, positions)
                            : script.call("after", objects, positions, isEmpty);
            out.addAll(
                    new PositionedSlots(
                                    objects,
                                    positions,
                                    found.slots().attributions(),
                                    found.slots().isEmpty())
                            .toNDList());
            return out;
        }
    }

    /** What {@link #call} gave. */
    static ObjectDiscoveryOutput output(NDList named) {
        return new ObjectDiscoveryOutput(
                Objects.requireNonNull(named.get(SlotDecoding.RECONSTRUCTION)),
                named.get(SlotDecoding.SLOT_IMAGES),
                Objects.requireNonNull(named.get(SlotDecoding.MASKS)),
                new PerceptualGroupingOutput(
                        Objects.requireNonNull(named.get(PerceptualGroupingOutput.OBJECTS)),
                        named.get(PerceptualGroupingOutput.FEATURE_ATTRIBUTIONS),
                        named.get(PerceptualGroupingOutput.IS_EMPTY)),
                named.get(PositionedSlots.SLOT_POSITIONS),
                null);
    }
}
