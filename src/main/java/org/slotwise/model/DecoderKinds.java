package org.slotwise.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.Objects;
import org.slotwise.decoder.AttendedColourDecoder;
import org.slotwise.decoder.AttendedRampDecoder;
import org.slotwise.decoder.AutoregressivePatchDecoder;
import org.slotwise.decoder.ImagePatchDecoder;
import org.slotwise.decoder.PatchDecoder;
import org.slotwise.decoder.PixelLattice;
import org.slotwise.decoder.ShapeAndColourDecoder;
import org.slotwise.decoder.SlotDecoder;
import org.slotwise.decoder.SpatialBroadcastDecoder;
import org.slotwise.decoder.TransformerDecoder;
import org.slotwise.grouping.PositionedSlots;
import org.slotwise.internal.Check;
import org.slotwise.internal.Ops;
import org.slotwise.model.DecoderConfiguration.Appearance;
import org.slotwise.model.DecoderConfiguration.AttendedColour;
import org.slotwise.model.DecoderConfiguration.AttendedRamp;
import org.slotwise.model.DecoderConfiguration.Autoregressive;
import org.slotwise.model.DecoderConfiguration.Features;
import org.slotwise.model.DecoderConfiguration.ImagePatch;
import org.slotwise.model.DecoderConfiguration.ShapeAndColour;
import org.slotwise.model.DecoderConfiguration.SpatialBroadcast;
import org.slotwise.model.ObjectDecoder.Decoded;

/** The kinds of decoders. */
final class DecoderKinds {

    static final Kinds<DecoderConfiguration, ObjectDecoder> ALL =
            new Kinds<DecoderConfiguration, ObjectDecoder>()
                    .with("spatial_broadcast", SpatialBroadcast.class, DecoderKinds::broadcast)
                    .with("image_patch", ImagePatch.class, DecoderKinds::imagePatch)
                    .with("shape_and_colour", ShapeAndColour.class, DecoderKinds::shapeAndColour)
                    .with("features", Features.class, DecoderKinds::features)
                    .with("autoregressive", Autoregressive.class, DecoderKinds::autoregressive)
                    .with("appearance", Appearance.class, DecoderKinds::appearance)
                    .with("attended_colour", AttendedColour.class, DecoderKinds::attendedColour)
                    .with("attended_ramp", AttendedRamp.class, DecoderKinds::attendedRamp);

    private DecoderKinds() {}

    private static ObjectDecoder broadcast(SpatialBroadcast c, Sizes sizes) {
        return ofImages(
                SpatialBroadcastDecoder.builder()
                        .setSlotDim(sizes.slotDim())
                        .setArchitecture(c.architecture())
                        .optNegativeSlope(c.negativeSlope())
                        .optJoinedGrid(c.joinedGrid())
                        .build(),
                sizes);
    }

    private static ObjectDecoder imagePatch(ImagePatch c, Sizes sizes) {
        return ofImages(
                ImagePatchDecoder.builder()
                        .setSlotDim(sizes.slotDim())
                        .setImageSize(sizes.height(), sizes.width())
                        .setPatchSize(c.patchSize())
                        .optHidden(c.hidden())
                        .optHiddenLayers(c.hiddenLayers())
                        .optFrequencies(c.frequencies())
                        .build(),
                sizes);
    }

    private static ObjectDecoder ofImages(SlotDecoder block, Sizes sizes) {
        Shape made =
                block.getOutputShapes(new Shape[] {new Shape(1, sizes.slots(), sizes.slotDim())})[
                        0];
        Check.option(
                made.get(2) == sizes.height() && made.get(3) == sizes.width(),
                "DecoderConfiguration: the decoder must make images of "
                        + sizes.height()
                        + " by "
                        + sizes.width()
                        + ", it makes "
                        + made.get(2)
                        + " by "
                        + made.get(3));
        return new ObjectDecoder(
                block,
                false,
                (store, found, seen, training) ->
                        Decoded.of(block.decode(store, found.slots().objects(), training), null));
    }

    private static ObjectDecoder shapeAndColour(ShapeAndColour c, Sizes sizes) {
        ShapeAndColourDecoder block =
                ShapeAndColourDecoder.builder()
                        .setSlotDim(sizes.slotDim())
                        .setImageSize(sizes.height(), sizes.width())
                        .optHidden(c.hidden())
                        .optFrequencies(c.frequencies())
                        .build();
        int stride = c.trainingStride();
        Check.option(
                stride <= Math.min(sizes.height(), sizes.width()),
                "DecoderConfiguration.ShapeAndColour: trainingStride must be at most the image's "
                        + "size, got "
                        + stride);
        return new ObjectDecoder(
                block,
                false,
                (store, found, seen, training) -> {
                    PositionedSlots slots =
                            new PositionedSlots(
                                    found.slots().objects(),
                                    Objects.requireNonNull(found.positions()),
                                    found.slots().attributions(),
                                    found.slots().isEmpty());
                    if (!training || stride == 1) {
                        return Decoded.of(
                                block.decode(store, slots, PixelLattice.ALL, training), null);
                    }
                    PixelLattice lattice = drawn(seen.images(), stride);
                    return Decoded.of(
                            block.decode(store, slots, lattice, true), lattice.of(seen.images()));
                });
    }

    private static PixelLattice drawn(NDArray images, int stride) {
        try (NDArray draws =
                images.getManager().randomUniform(0, 1, new Shape(2), DataType.FLOAT64)) {
            double[] two = Ops.read(draws);
            return new PixelLattice(stride, place(two[0], stride), place(two[1], stride));
        }
    }

    private static int place(double draw, int stride) {
        return Math.min(stride - 1, (int) (draw * stride));
    }

    private static ObjectDecoder features(Features c, Sizes sizes) {
        PatchDecoder.Builder builder =
                PatchDecoder.builder()
                        .setSlotDim(sizes.slotDim())
                        .setFeatureDim(sizes.targetDim())
                        .setPatches(sizes.features())
                        .optHidden(c.hidden().stream().mapToInt(Integer::intValue).toArray());
        PatchDecoder block =
                (c.inputDim() == null ? builder : builder.optInputDim(c.inputDim())).build();
        return new ObjectDecoder(
                block,
                true,
                (store, found, seen, training) ->
                        Decoded.of(
                                block.decode(store, found.slots().objects(), training),
                                seen.features()));
    }

    private static ObjectDecoder autoregressive(Autoregressive c, Sizes sizes) {
        AutoregressivePatchDecoder.Builder builder =
                AutoregressivePatchDecoder.builder()
                        .setSlotDim(sizes.slotDim())
                        .setFeatureDim(sizes.targetDim())
                        .optTransformer(
                                TransformerDecoder.builder()
                                        .setDim(c.dim())
                                        .optHeads(c.heads())
                                        .optLayers(c.layers())
                                        .optHidden(c.hidden())
                                        .build())
                        .optInputTransform(c.inputTransform())
                        .optSlotTransform(c.slotTransform());
        AutoregressivePatchDecoder block =
                (c.positions() ? builder.optPositions(sizes.features()) : builder).build();
        return new ObjectDecoder(
                block,
                true,
                (store, found, seen, training) ->
                        Decoded.of(
                                block.decode(
                                        store, found.slots().objects(), seen.features(), training),
                                seen.features()));
    }

    private static ObjectDecoder appearance(Appearance c, Sizes sizes) {
        AppearanceDecoder block = new AppearanceDecoder(sizes.slotDim(), sizes.targetDim());
        return new ObjectDecoder(
                block,
                true,
                (store, found, seen, training) ->
                        Decoded.of(block.decode(store, found.slots(), training), seen.features()));
    }

    private static ObjectDecoder attendedColour(AttendedColour c, Sizes sizes) {
        AttendedColourDecoder block =
                AttendedColourDecoder.builder()
                        .setSlotDim(sizes.slotDim())
                        .setImageSize(sizes.height(), sizes.width())
                        .optPatchSize(c.patchSize())
                        .build();
        requireStride("AttendedColour", c.patchSize(), sizes);
        return new ObjectDecoder(
                block,
                false,
                (store, found, seen, training) ->
                        Decoded.of(block.decode(store, found.slots(), training), null));
    }

    private static ObjectDecoder attendedRamp(AttendedRamp c, Sizes sizes) {
        AttendedRampDecoder block =
                AttendedRampDecoder.builder()
                        .setSlotDim(sizes.slotDim())
                        .setImageSize(sizes.height(), sizes.width())
                        .optPatchSize(c.patchSize())
                        .build();
        requireStride("AttendedRamp", c.patchSize(), sizes);
        return new ObjectDecoder(
                block,
                false,
                (store, found, seen, training) ->
                        Decoded.of(block.decode(store, found.slots(), training), null));
    }

    private static void requireStride(String kind, int patchSize, Sizes sizes) {
        Check.option(
                sizes.patches(patchSize) == sizes.features(),
                "DecoderConfiguration."
                        + kind
                        + ": patchSize must be the stride of the encoder, which makes "
                        + sizes.features()
                        + " features of an image, got "
                        + patchSize);
    }
}
