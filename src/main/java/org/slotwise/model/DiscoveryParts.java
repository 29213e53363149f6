package org.slotwise.model;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The four parts of a model, which fit each other.
 *
 * @param sizes what they agree on
 * @param encoder from images to features
 * @param conditioning what slots start from
 * @param grouping from features to slots
 * @param decoder from slots to images or features
 */
record DiscoveryParts(
        Sizes sizes,
        ImageEncoder encoder,
        SlotStart conditioning,
        SlotGrouping grouping,
        ObjectDecoder decoder) {

    private static final int CHANNELS = 3;

    /**
     * Makes the parts as they are described.
     *
     * @param c what they are made from
     * @param folder where a network's file is; null for its own path
     */
    static DiscoveryParts of(ObjectDiscoveryConfiguration c, @Nullable Path folder)
            throws IOException {
        Sizes images = Sizes.of(c, folder);
        ImageEncoder encoder = EncoderKinds.ALL.make(c.encoder(), images);
        try {
            int features = Math.multiplyExact(encoder.gridHeight(), encoder.gridWidth());
            int featureDim = encoder.block().featureDim();
            int target =
                    encoder.block() instanceof ProjectedExtractor projected
                            ? projected.unprojectedDim()
                            : featureDim;
            Sizes sizes = images.withFeatures(features, featureDim, target);
            if (c.grouping() instanceof GroupingConfiguration.SlotMixture
                    && c.conditioning() instanceof ConditioningConfiguration.None) {
                ConditioningKinds.requireFeatures(sizes); // it starts on features
            }
            return new DiscoveryParts(
                    sizes,
                    encoder,
                    ConditioningKinds.ALL.make(c.conditioning(), sizes),
                    GroupingKinds.ALL.make(c.grouping(), sizes),
                    DecoderKinds.ALL.make(c.decoder(), sizes));
        } catch (IOException | RuntimeException e) {
            close(encoder);
            throw e;
        }
    }

    /** The blocks by the names that parameters have, in their order. */
    Map<String, Block> blocks() {
        Map<String, Block> blocks = new LinkedHashMap<>();
        blocks.put("encoder", encoder.block());
        if (conditioning.block() != null) {
            blocks.put("conditioning", conditioning.block());
        }
        blocks.put("grouping", grouping.block());
        blocks.put("decoder", decoder.block());
        return blocks;
    }

    /** Draws the parameters. */
    void initialize(NDManager manager, DataType dataType) {
        Shape features = new Shape(1, sizes.features(), sizes.featureDim());
        Shape slots = new Shape(1, sizes.slots(), sizes.slotDim());
        Shape positions = new Shape(sizes.features(), 2);
        encoder.block()
                .initialize(
                        manager, dataType, new Shape(1, CHANNELS, sizes.height(), sizes.width()));
        if (conditioning.block() != null) {
            conditioning.block().initialize(manager, dataType, features);
        }
        grouping.block().initialize(manager, dataType, features, positions, slots);
        decoder.block().initialize(manager, dataType, slots, features);
    }

    /**
     * The shapes of what comes out for some images, in the order of {@link ObjectDiscoveryOutput}.
     */
    Shape[] outputShapes(ObjectDiscoveryConfiguration c, long batch) {
        int k = sizes.slots();
        int n = sizes.features();
        List<Shape> shapes = new ArrayList<>();
        Shape objects = new Shape(batch, k, sizes.slotDim());
        Shape attributions = new Shape(batch, k, n);
        if (decoder.ofFeatures()) {
            shapes.add(new Shape(batch, n, sizes.targetDim()));
            shapes.add(attributions);
        } else {
            shapes.addAll(List.of(decoder.block().getOutputShapes(new Shape[] {objects})));
        }
        shapes.addAll(slotShapes(c, batch));
        GroupingConfiguration kind = c.grouping();
        if (kind instanceof GroupingConfiguration.InvariantSlotAttention) {
            shapes.add(new Shape(batch, k, 2));
        }
        if (decoder.ofFeatures()) {
            shapes.add(new Shape(batch, n, sizes.targetDim()));
        }
        return shapes.toArray(Shape[]::new);
    }

    /**
     * The shapes of slots, their attributions, and whether they are empty, where there are such.
     */
    List<Shape> slotShapes(ObjectDiscoveryConfiguration c, long batch) {
        int k = sizes.slots();
        List<Shape> shapes = new ArrayList<>();
        shapes.add(new Shape(batch, k, sizes.slotDim()));
        if (!(c.grouping() instanceof GroupingConfiguration.SlotMlp)) {
            shapes.add(new Shape(batch, k, sizes.features()));
        }
        boolean begunEmpty =
                c.conditioning() instanceof ConditioningConfiguration.Colours
                        || c.conditioning() instanceof ConditioningConfiguration.GroundAndClusters;
        if (c.grouping() instanceof GroupingConfiguration.StickBreaking
                || (begunEmpty && grouping.leavesOutEmptySlots())) {
            shapes.add(new Shape(batch, k));
        }
        return shapes;
    }

    /** Closes the network from a file, if the encoder has one. */
    void close() {
        close(encoder);
    }

    private static void close(ImageEncoder encoder) {
        if (encoder.block() instanceof AutoCloseable closeable) {
            try {
                closeable.close();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
