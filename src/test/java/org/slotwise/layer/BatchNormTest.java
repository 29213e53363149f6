package org.slotwise.layer;

import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.assertSame;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.internal.Ops;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ReferenceCase;
import org.slotwise.testing.Tensors;

/** Values and gradients beside PyTorch's are those of {@code ResNetEncoder}. */
@ExtendWith(OnDevice.class)
class BatchNormTest {

    private static final DataType TYPE = DataType.FLOAT64;
    private static final double EPS = 1e-5;

    private static Block block(NDManager manager, NDArray x, boolean fixedStatistics) {
        Block block = new LayerBlock(p -> BatchNorm.of(p, 3, fixedStatistics), shape -> shape);
        block.initialize(manager, TYPE, x.getShape());
        long seed = 10;
        for (NDArray array : ReferenceCase.parameters(block).values()) {
            NDArray draw = Tensors.uniform(manager, seed++, TYPE, 3);
            Ops.overwrite(array, draw.add(0.5));
        }
        return block;
    }

    private static NDArray run(NDManager manager, Block block, NDArray x, boolean training) {
        return block.forward(new ParameterStore(manager, false), new NDList(x), training).head();
    }

    private static NDArray channels(NDArray array) {
        return array.reshape(1, 3, 1, 1);
    }

    private static NDArray meanOfChannels(NDArray x) {
        return x.swapAxes(0, 1).reshape(3, -1).mean(new int[] {1});
    }

    private static NDArray normalised(
            Map<String, NDArray> parameters, NDArray x, NDArray mean, NDArray variance) {
        return x.sub(channels(mean))
                .div(channels(variance.add(EPS).sqrt()))
                .mul(channels(parameters.get("weight")))
                .add(channels(parameters.get("bias")));
    }

    @Test
    void usesRunningStatisticsInInferenceAndWhereTheyAreFixed(NDManager manager) {
        NDArray x = Tensors.normal(manager, 1, TYPE, 2, 3, 4, 5);
        Block block = block(manager, x, false);
        Map<String, NDArray> p = ReferenceCase.parameters(block);
        NDArray expected = normalised(p, x, p.get("running_mean"), p.get("running_var"));
        assertClose("inference", expected, run(manager, block, x, false), 1e-12);
        Block fixed = block(manager, x, true);
        assertClose("fixed", expected, run(manager, fixed, x, true), 1e-12);
        assertSame(
                "the running mean",
                p.get("running_mean"),
                ReferenceCase.parameters(fixed).get("running_mean"));
    }

    @Test
    void usesTheBatchInTrainingAndRemembersATenthOfIt(NDManager manager) {
        NDArray x = Tensors.normal(manager, 1, TYPE, 2, 3, 4, 5);
        Block block = block(manager, x, false);
        Map<String, NDArray> p = ReferenceCase.parameters(block);
        NDArray meanBefore = p.get("running_mean").duplicate();
        NDArray varianceBefore = p.get("running_var").duplicate();
        NDArray mean = meanOfChannels(x);
        NDArray variance = meanOfChannels(x.sub(channels(mean)).square());
        NDArray expected = normalised(p, x, mean, variance);
        assertClose("training", expected, run(manager, block, x, true), 1e-12);
        assertClose(
                "running mean",
                meanBefore.mul(0.9).add(mean.mul(0.1)),
                p.get("running_mean"),
                1e-12);
        NDArray unbiased = variance.mul(40.0 / 39);
        assertClose(
                "running variance",
                varianceBefore.mul(0.9).add(unbiased.mul(0.1)),
                p.get("running_var"),
                1e-12);
    }
}
