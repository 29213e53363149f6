package org.slotwise.layer;

import static org.slotwise.testing.Tensors.assertClose;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

@ExtendWith(OnDevice.class)
class GruCellTest {

    @Test
    void bothFormsAgree(NDManager manager) {
        DataType type = DataType.FLOAT64;
        NDList gru =
                new NDList(
                        Tensors.normal(manager, 1, type, 18, 4),
                        Tensors.normal(manager, 2, type, 18, 6),
                        Tensors.normal(manager, 3, type, 18),
                        Tensors.normal(manager, 4, type, 18));
        NDArray u = Tensors.normal(manager, 5, type, 2, 3, 4);
        NDArray s = Tensors.normal(manager, 6, type, 2, 3, 6);
        assertClose("GRU", GruCell.inOneCall(gru, u, s), GruCell.gateByGate(gru, u, s), 1e-12);
    }
}
