package org.slotwise.examples.ablate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.LayerNorm;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.XavierInitializer;
import ai.djl.training.initializer.XavierInitializer.FactorType;
import ai.djl.training.initializer.XavierInitializer.RandomType;
import ai.djl.util.PairList;
import org.slotwise.encoder.ConvolutionalEncoder;
import org.slotwise.examples.shared.PlaceWaves;
import org.slotwise.grouping.FeatureExtractorOutput;
import org.slotwise.position.SoftPositionEmbed;

/**
 * Features of a picture for {@link AblationModel}: two strided convolutions, a perceptron, and, in
 * one of three ways, where each feature lies.
 *
 * <pre>{@code
 * NONE            MLP(LayerNorm(conv(image)))                               64 numbers
 * ADDED           MLP(LayerNorm(SoftPositionEmbed(conv(image))))            64
 * CONCATENATED    [MLP(LayerNorm(conv(image))), Linear(waves of the place)] 48 and 16
 * }</pre>
 *
 * <p>Input: images (B, 3, H, W) in [0, 1]. Output: features (B, N, 64). ADDED is the way of the
 * Slot Attention paper.
 */
final class AblationEncoder extends AbstractBlock {

    /** How features are told where they lie. */
    enum Positions {
        NONE,
        ADDED,
        CONCATENATED
    }

    /** The size of a feature. */
    static final int FEATURE_DIM = 64;

    private static final byte VERSION = 1;
    private static final int CHANNELS = 64;
    private static final int HIDDEN = 64;
    private static final int PLACE = 16;

    private final Positions positions;
    private final ConvolutionalEncoder convolutions;
    private final SoftPositionEmbed embedding;
    private final Block norm;
    private final Block hidden;
    private final Block content;
    private final Block place;

    AblationEncoder(Positions positions) {
        super(VERSION);
        this.positions = positions;
        convolutions =
                addChildBlock(
                        "convolutions",
                        ConvolutionalEncoder.builder()
                                .optChannels(CHANNELS / 2, CHANNELS)
                                .optStrides(2, 2)
                                .build());
        embedding = SoftPositionEmbed.builder().setSpatialDims(2).setFeatureDim(CHANNELS).build();
        if (positions == Positions.ADDED) {
            addChildBlock("embedding", embedding);
        }
        norm = addChildBlock("norm", LayerNorm.builder().axis(2).build());
        hidden = addChildBlock("hidden", linear(HIDDEN));
        boolean concatenated = positions == Positions.CONCATENATED;
        content =
                addChildBlock("content", linear(concatenated ? FEATURE_DIM - PLACE : FEATURE_DIM));
        place = linear(PLACE);
        if (concatenated) {
            addChildBlock("place", place);
        }
    }

    private static Block linear(int units) {
        Block block = Linear.builder().setUnits(units).build();
        block.setInitializer(
                new XavierInitializer(RandomType.UNIFORM, FactorType.AVG, 3),
                Parameter.Type.WEIGHT);
        return block;
    }

    @Override
    protected NDList forwardInternal(
            ParameterStore store,
            NDList inputs,
            boolean training,
            PairList<String, Object> params) {
        FeatureExtractorOutput seen = convolutions.extract(store, inputs.head(), training);
        NDArray x = seen.features();
        if (positions == Positions.ADDED) {
            x = embedding.embed(store, x, seen.positions(), training);
        }
        x = apply(hidden, store, apply(norm, store, x, training), training);
        x = apply(content, store, Activation.relu(x), training);
        if (positions == Positions.CONCATENATED) {
            NDArray p = PlaceWaves.of(seen.positions());
            p = apply(place, store, p, training).expandDims(0);
            p = p.broadcast(x.getShape().get(0), x.getShape().get(1), PLACE);
            x = NDArrays.concat(new NDList(x, p), 2);
        }
        return new NDList(x);
    }

    private static NDArray apply(Block block, ParameterStore store, NDArray x, boolean training) {
        return block.forward(store, new NDList(x), training).head();
    }

    @Override
    protected void initializeChildBlocks(NDManager manager, DataType type, Shape... inputShapes) {
        convolutions.initialize(manager, type, inputShapes);
        if (positions == Positions.ADDED) {
            embedding.initialize(manager, type);
        }
        norm.initialize(manager, type, new Shape(-1, -1, CHANNELS));
        hidden.initialize(manager, type, new Shape(-1, CHANNELS));
        content.initialize(manager, type, new Shape(-1, HIDDEN));
        if (positions == Positions.CONCATENATED) {
            place.initialize(manager, type, new Shape(-1, PlaceWaves.DIM));
        }
    }

    @Override
    public Shape[] getOutputShapes(Shape[] inputShapes) {
        Shape seen = convolutions.getOutputShapes(inputShapes)[0];
        return new Shape[] {new Shape(seen.get(0), seen.get(1), FEATURE_DIM)};
    }
}
