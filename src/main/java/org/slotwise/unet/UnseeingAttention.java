package org.slotwise.unet;

import ai.djl.ndarray.NDArray;
import org.slotwise.internal.Pass;
import org.slotwise.layer.ImageAttention;
import org.slotwise.torchscript.ScriptModule;
import org.slotwise.torchscript.Scriptable;

/** The middle of a network that is not told slots. */
record UnseeingAttention(ImageAttention attention) implements SlotLayer, Scriptable {

    @Override
    public NDArray apply(Pass pass, NDArray x, Told told) {
        return attention.apply(pass, x);
    }

    @Override
    public ScriptModule script() {
        return attention.script();
    }
}
