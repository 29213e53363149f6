package org.slotwise.layer;

import ai.djl.ndarray.NDArray;
import ai.djl.nn.Activation;
import org.slotwise.torchscript.ScriptedActivation;

/** The ReLU, max(x, 0). */
enum Relu implements ScriptedActivation {
    /** The only one. */
    RELU;

    @Override
    public NDArray apply(NDArray x) {
        return Activation.relu(x);
    }

    @Override
    public String script(String x) {
        return "torch.relu(" + x + ")";
    }
}
