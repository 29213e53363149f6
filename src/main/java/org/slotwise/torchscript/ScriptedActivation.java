package org.slotwise.torchscript;

import ai.djl.ndarray.NDArray;
import java.util.function.UnaryOperator;

/** An activation, in Java and in TorchScript. */
public interface ScriptedActivation extends UnaryOperator<NDArray> {

    /**
     * The activation of a value in TorchScript.
     *
     * @param x an expression
     * @return an expression, {@code torch.relu(x)} for instance
     */
    String script(String x);
}
