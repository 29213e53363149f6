package org.slotwise.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.slotwise.testing.Errors.assertRefused;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.nn.Parameter;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.testing.OnDevice;

@ExtendWith(OnDevice.class)
class LearningRatesTest {

    @Test
    void eachGroupHasItsOwn(NDManager manager) {
        Parameter a = AdamTest.parameter(manager, "a", DataType.FLOAT64, 1);
        Parameter b = AdamTest.parameter(manager, "b", DataType.FLOAT64, 1);
        LearningRates rates =
                LearningRates.of(LearningRate.constant(0.1))
                        .with(LearningRate.constant(0.3), List.of(b));
        assertEquals(0.1, rates.at(a.getId(), 1));
        assertEquals(0.3, rates.at(b.getId(), 1));
        assertEquals(0.3f, rates.getNewValue(b.getId(), 1));
        try (Adam adam = Adam.builder().optLearningRate(rates).build()) {
            // The first step of Adam is as long as the rate, less a rounding by eps.
            assertEquals(0.9, stepped(adam, a), 1e-7);
            assertEquals(0.7, stepped(adam, b), 1e-7);
        }
        assertRefused(
                "LearningRates: in two groups: [b]",
                () -> rates.with(LearningRate.constant(1), List.of(a, b)));
    }

    private static double stepped(Adam adam, Parameter parameter) {
        NDArray weight = parameter.getArray();
        adam.update(parameter.getId(), weight, weight.onesLike());
        return weight.toDoubleArray()[0];
    }
}
