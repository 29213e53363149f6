package org.slotwise.examples.photos;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.core.Linear;
import ai.djl.training.ParameterStore;
import ai.djl.util.Pair;
import ai.djl.util.PairList;
import org.slotwise.conditioning.RandomConditioning;
import org.slotwise.decoder.FeatureDecoding;
import org.slotwise.decoder.PatchDecoder;
import org.slotwise.grouping.FeatureExtractorOutput;
import org.slotwise.grouping.PerceptualGroupingOutput;
import org.slotwise.grouping.SlotAttention;
import org.slotwise.layer.FeedForward;

/**
 * Groups features of photographs into slots that have to give the features back, by Slot Attention.
 *
 * <p>Features of a network are decoded as in Seitzer et al., "Bridging the Gap to Real-World
 * Object-Centric Learning" (2023): slots start at random, and a decoder makes the features of each
 * patch and says which slot it is of.
 *
 * <p>That decoder has a learnt embedding of every patch, and where features are as simple as the
 * built-in ones and pictures are few, one slot with it is enough. For those, slots start from what
 * k-means finds, and are decoded without any place:
 *
 * <pre>{@code
 * start = W (mean of the features of a cluster)
 * reconstruction = sum over slots of  attention * (V slot)
 * }</pre>
 *
 * <p>A slot then stands for one appearance, and the attention of the last iteration is the masks.
 */
final class PhotoModel extends AbstractBlock {

    private static final byte VERSION = 1;
    private static final int DECODER = 256;

    private final PhotoRecipe recipe;
    private final int slots;
    private final int featureDim;
    private final Linear first;
    private final Linear second;
    private final SlotAttention grouping;
    private final Start start;
    private final Decoding decoding;

    /**
     * Where slots start from: features (B, N, F), and what the model's first layers made of them.
     */
    private interface Start {
        NDArray slots(ParameterStore store, NDArray features, NDArray encoded, boolean training);
    }

    /** How slots become features again. */
    private interface Decoding {
        FeatureDecoding decode(
                ParameterStore store, PerceptualGroupingOutput found, boolean training);
    }

    /**
     * Makes the model.
     *
     * @param recipe how slots start and are decoded, and sizes
     * @param featureDim F
     * @param patches N
     * @param slots K
     */
    PhotoModel(PhotoRecipe recipe, int featureDim, int patches, int slots) {
        super(VERSION);
        this.recipe = recipe;
        this.slots = slots;
        this.featureDim = featureDim;
        int dim = recipe.dim();
        first = addChildBlock("first", Linear.builder().setUnits(recipe.hidden()).build());
        second = addChildBlock("second", Linear.builder().setUnits(dim).build());
        boolean network = recipe == PhotoRecipe.NETWORK;
        start = network ? randomStart() : clusterStart();
        grouping =
                addChildBlock(
                        "grouping",
                        SlotAttention.builder()
                                .setDim(dim)
                                .setFeatureDim(dim)
                                .optFeedForward(new FeedForward(dim, recipe.hidden()))
                                .build());
        decoding = network ? patchDecoding(patches) : attentionDecoding();
    }

    private Start randomStart() {
        RandomConditioning conditioning =
                addChildBlock(
                        "conditioning",
                        RandomConditioning.builder().setDim(recipe.dim()).setSlots(slots).build());
        return (store, features, encoded, training) ->
                conditioning.sample(
                        store, features.getManager(), features.getShape().get(0), slots, training);
    }

    private Start clusterStart() {
        Linear map = addChildBlock("start", Linear.builder().setUnits(recipe.dim()).build());
        return (store, features, encoded, training) -> {
            NDArray clusters = PhotoClusters.of(features, slots, training);
            NDArray means =
                    clusters.div(clusters.sum(new int[] {2}, true).maximum(1)).matMul(encoded);
            return map.forward(store, new NDList(means), training).head();
        };
    }

    private Decoding patchDecoding(int patches) {
        PatchDecoder decoder =
                addChildBlock(
                        "decoder",
                        PatchDecoder.builder()
                                .setSlotDim(recipe.dim())
                                .setFeatureDim(featureDim)
                                .setPatches(patches)
                                .optHidden(DECODER, DECODER)
                                .build());
        return (store, found, training) -> decoder.decode(store, found.objects(), training);
    }

    private Decoding attentionDecoding() {
        Linear map = addChildBlock("appearance", Linear.builder().setUnits(featureDim).build());
        return (store, found, training) -> {
            NDArray made = map.forward(store, new NDList(found.objects()), training).head();
            NDArray masks = found.attributions();
            return new FeatureDecoding(masks.swapAxes(1, 2).matMul(made), masks);
        };
    }

    /**
     * Finds slots and decodes them.
     *
     * @param store where the parameters' values are
     * @param features (B, N, F)
     * @param training whether to record a graph
     * @return features (B, N, F) and masks (B, K, N)
     */
    FeatureDecoding discover(ParameterStore store, NDArray features, boolean training) {
        NDArray h = first.forward(store, new NDList(features), training).head();
        NDArray x = second.forward(store, new NDList(Activation.relu(h)), training).head();
        NDArray from = start.slots(store, features, x, training);
        return decoding.decode(
                store,
                grouping.group(store, new FeatureExtractorOutput(x), from, training),
                training);
    }

    @Override
    protected NDList forwardInternal(
            ParameterStore parameterStore,
            NDList inputs,
            boolean training,
            PairList<String, Object> params) {
        return discover(parameterStore, inputs.head(), training).toNDList();
    }

    @Override
    protected void initializeChildBlocks(NDManager manager, DataType type, Shape... inputShapes) {
        Shape encoded = new Shape(-1, -1, recipe.dim());
        Shape found = new Shape(-1, slots, recipe.dim());
        for (Pair<String, Block> child : getChildren()) {
            Block block = child.getValue();
            if (block == first) {
                block.initialize(manager, type, new Shape(-1, -1, featureDim));
            } else if (block == second) {
                block.initialize(manager, type, new Shape(-1, -1, recipe.hidden()));
            } else if (block == grouping) {
                block.initialize(manager, type, encoded, found);
            } else {
                block.initialize(manager, type, found);
            }
        }
    }

    @Override
    public Shape[] getOutputShapes(Shape[] inputShapes) {
        Shape x = inputShapes[0];
        return new Shape[] {x, new Shape(x.get(0), slots, x.get(1))};
    }
}
