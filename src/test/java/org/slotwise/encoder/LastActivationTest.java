package org.slotwise.encoder;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;
import org.slotwise.weights.StateDict;

/** The layers of OCLF's SAViFeatureExtractor end without a ReLU. */
@ExtendWith(OnDevice.class)
class LastActivationTest {

    @Test
    void isLeftOutIfToldSo(NDManager manager) {
        ConvolutionalEncoder.Builder builder = ConvolutionalEncoder.builder().optChannels(4, 3);
        ConvolutionalEncoder with = builder.build();
        ConvolutionalEncoder without = builder.optLastActivation(false).build();
        for (ConvolutionalEncoder encoder : new ConvolutionalEncoder[] {with, without}) {
            encoder.initialize(manager, DataType.FLOAT64, new Shape(-1, 3, 5, 6));
        }
        StateDict.of(with).loadInto(without);
        NDArray images = Tensors.normal(manager, 1, 2, 3, 5, 6).toType(DataType.FLOAT64, false);
        ParameterStore store = new ParameterStore(manager, false);
        double[] raw = Tensors.doubles(without.extract(store, images, false).features());
        double[] relu = Tensors.doubles(with.extract(store, images, false).features());
        assertTrue(Arrays.stream(raw).anyMatch(x -> x < 0));
        assertArrayEquals(Arrays.stream(raw).map(x -> Math.max(x, 0)).toArray(), relu, 0);
    }
}
