package org.slotwise.grouping;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.normal;
import static org.slotwise.testing.Tensors.uniform;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Block;
import ai.djl.nn.LambdaBlock;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.testing.OnDevice;
import org.slotwise.torchscript.ScriptModule;
import org.slotwise.torchscript.Scriptable;

/** When iterations are one call: what they compute is held beside plain loops elsewhere. */
@ExtendWith(OnDevice.class)
class InvariantSlotAttentionStepsTest {

    private static final DataType TYPE = DataType.FLOAT64;

    /** A feed-forward whose equations are not what it computes, so that one sees who was asked. */
    private static final class Telltale extends AbstractBlock implements Scriptable {

        @Override
        protected NDList forwardInternal(
                ParameterStore store,
                NDList inputs,
                boolean training,
                PairList<String, Object> params) {
            return new NDList(inputs.head().neg());
        }

        @Override
        public Shape[] getOutputShapes(Shape[] inputShapes) {
            return inputShapes;
        }

        @Override
        public ScriptModule script() {
            return ScriptModule.builder("Telltale")
                    .setCode(
                            """
                            def forward(self, x: Tensor) -> Tensor:
                              return torch.mul(x, 1)
                            """)
                    .build();
        }
    }

    private FeatureExtractorOutput features;
    private NDArray start;
    private NDArray where;
    private ParameterStore store;

    @BeforeEach
    void makeInputs(NDManager manager) {
        features =
                new FeatureExtractorOutput(
                        normal(manager, 1, TYPE, 2, 9, 5), uniform(manager, 2, TYPE, 9, 2));
        start = normal(manager, 3, TYPE, 2, 3, 6);
        where = uniform(manager, 4, TYPE, 2, 3, 2);
        store = new ParameterStore(manager, false);
    }

    private static InvariantSlotAttention block(NDManager manager, Block fed, boolean implicit) {
        manager.getEngine().setRandomSeed(5);
        InvariantSlotAttention block =
                InvariantSlotAttention.builder()
                        .setDim(6)
                        .setFeatureDim(5)
                        .optFeedForward(fed)
                        .optImplicitDifferentiation(implicit)
                        .build();
        block.initialize(manager, TYPE);
        return block;
    }

    private NDArray objects(InvariantSlotAttention block, int times, boolean training) {
        if (!training) {
            return block.group(store, features, start, where, times, false).objects();
        }
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            NDArray objects = block.group(store, features, start, where, times, true).objects();
            collector.backward(objects.square().sum());
            return objects.stopGradient();
        }
    }

    private NDArray oneByOne(InvariantSlotAttention block, NDArray from, NDArray at, int times) {
        return block.trace(store, features, from, at, times).result().objects();
    }

    @Test
    void inInferenceAllAreOneCall(NDManager manager) {
        InvariantSlotAttention block = block(manager, new Telltale(), false);
        NDArray called = oneByOne(block, start, where, 1);
        assertClose(
                "objects",
                start.getDevice().isGpu() ? called : called.neg(),
                objects(block, 1, false),
                1e-12);
    }

    @Test
    void inTrainingThoseBeforeTheLastAre(NDManager manager) {
        InvariantSlotAttention block = block(manager, new Telltale(), true);
        PositionedSlots before = block.group(store, features, start, where, 2, false);
        assertClose(
                "objects",
                oneByOne(block, before.objects(), before.positions(), 1),
                objects(block, 3, true),
                1e-12);
        if (!start.getDevice().isGpu()) {
            NDArray apart = oneByOne(block, start, where, 3).sub(objects(block, 3, true)).abs();
            assertTrue(apart.max().getDouble() > 1e-3, "two in one call");
        }
    }

    @Test
    void withGradientsThroughAllNoneAre(NDManager manager) {
        InvariantSlotAttention block = block(manager, new Telltale(), false);
        assertClose("objects", oneByOne(block, start, where, 3), objects(block, 3, true), 1e-12);
    }

    /** What cannot be written is called. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aForeignFeedForwardIsCalled(boolean training, NDManager manager) {
        Block foreign = new LambdaBlock(in -> new NDList(in.head().add(in.head())));
        InvariantSlotAttention block = block(manager, foreign, true);
        assertClose(
                "objects", oneByOne(block, start, where, 3), objects(block, 3, training), 1e-12);
    }
}
