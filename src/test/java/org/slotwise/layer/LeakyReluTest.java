package org.slotwise.layer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.assertSame;
import static org.slotwise.testing.Tensors.normal;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.training.GradientCollector;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.internal.ScriptedOps;
import org.slotwise.testing.OnDevice;

@ExtendWith(OnDevice.class)
class LeakyReluTest {

    @ParameterizedTest
    @ValueSource(doubles = {0, 0.01, 1})
    void inPlaceItGivesTheSame(double slope, NDManager manager) {
        NDArray x = normal(manager, 1, 3, 4);
        NDArray expected = new LeakyRelu(slope).apply(x);
        NDArray taken = x.duplicate();
        assertSame("in place", expected, new LeakyRelu(slope).inPlace(taken));
        assertThrows(IllegalStateException.class, taken::getShape);
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, 0.2})
    void inPlaceGradientsAreTheSame(double slope, NDManager manager) {
        NDArray x = normal(manager, 1, 3, 4);
        x.setRequiresGradient(true);
        NDArray[] gradients = new NDArray[2];
        for (int i = 0; i < 2; i++) {
            try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
                collector.zeroGradients();
                NDArray z = x.add(x);
                NDArray y =
                        i == 0
                                ? new LeakyRelu(slope).apply(z)
                                : ScriptedOps.leakyReluInPlace(z, slope);
                collector.backward(y.square().sum());
                gradients[i] = x.getGradient().duplicate();
            }
        }
        assertClose("gradient", gradients[0], gradients[1], 1e-6);
    }

    @Test
    void ownersStayThoseOfTheArray(NDManager manager) {
        try (NDManager own = manager.newSubManager()) {
            NDArray z = normal(own, 1, 2, 2);
            int before = own.getManagedArrays().size();
            NDArray y = LeakyRelu.NONE.inPlace(z);
            assertEquals(own, y.getManager());
            assertEquals(before, own.getManagedArrays().size());
        }
    }
}
