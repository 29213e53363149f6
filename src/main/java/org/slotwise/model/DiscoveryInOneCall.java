package org.slotwise.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slotwise.decoder.SlotDecoding;
import org.slotwise.decoder.SpatialBroadcastDecoder;
import org.slotwise.encoder.SlotAttentionEncoder;
import org.slotwise.grouping.PerceptualGroupingOutput;
import org.slotwise.grouping.SlotAttention;
import org.slotwise.internal.Pass;
import org.slotwise.model.SlotStart.Unseeing;
import org.slotwise.torchscript.DiscoveryScript;
import org.slotwise.torchscript.LoadedByType;
import org.slotwise.torchscript.LoadedScript;

/**
 * Inference of a whole model on few pixels as one call of the engine, for models of the paper's
 * make: with a single small picture calls are what takes time.
 */
final class DiscoveryInOneCall {

    /** Pixels of a batch beyond which numbers take longer than calls. */
    private static final long FEW = 64 * 64;

    private final Unseeing start;
    private final LoadedByType whole;

    private DiscoveryInOneCall(Unseeing start, LoadedByType whole) {
        this.start = start;
        this.whole = whole;
    }

    /** The call for a model; null if it is of another make. */
    static @Nullable DiscoveryInOneCall of(
            DiscoveryParts made, ObjectDiscoveryConfiguration.Colours colours) {
        Unseeing start = made.conditioning().unseeing();
        boolean known =
                made.encoder().block() instanceof SlotAttentionEncoder
                        && made.grouping().block() instanceof SlotAttention
                        && made.decoder().block() instanceof SpatialBroadcastDecoder;
        return start == null || !known
                ? null
                : new DiscoveryInOneCall(
                        start,
                        LoadedByType.of(
                                () ->
                                        DiscoveryScript.ofGivenSlots(
                                                made.encoder().block(),
                                                made.grouping().block(),
                                                made.decoder().block(),
                                                colours.mean(),
                                                colours.deviation())));
    }

    /** Whether images are few enough. */
    static boolean suits(NDArray images) {
        Shape s = images.getShape();
        return s.get(0) * s.get(2) * s.get(3) <= FEW;
    }

    /** All that the model gives, by name; nothing if the call cannot be taken so. */
    NDList call(Pass pass, ParameterStore store, NDArray images) {
        LoadedScript script = whole.of(images);
        return script.fits(pass, images)
                ? script.call("forward", images, start.of(store, images, false))
                : new NDList();
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
                null,
                null);
    }
}
