package org.slotwise.internal;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;

/**
 * Functions in TorchScript: operations that DJL does not reach, and many small ones in one call.
 *
 * <p>The functions are loaded once and live as long as the process: make a script a constant. It
 * belongs to no device, and may be called from several threads at once. What it computes is
 * differentiable; whether a graph is recorded is decided as for every other operation (see {@link
 * NoGraph}).
 */
public final class Script {

    private final LoadedModule module;

    /**
     * Loads functions whose operations run one by one as they are written.
     *
     * <p>Otherwise the engine watches the first calls, and then compiles, gradients too, for what
     * it saw: last bits differ between the first calls and later ones. With these, a training that
     * goes on in another process takes the same steps to the last bit.
     *
     * @param functions as for the constructor
     * @return the script
     */
    public static Script plain(String functions) {
        return new Script(functions, true);
    }

    /**
     * Loads functions.
     *
     * @param functions their definitions, in the language in which {@code torch.jit.save} writes
     *     them, indented by twos; the first argument is {@code self: __torch__.Script}, all others
     *     are tensors, and so are results, alone or as a tuple
     */
    public Script(String functions) {
        this(functions, false);
    }

    private Script(String functions, boolean plain) {
        String source =
                """
                class Script(Module):
                  __parameters__ = []
                  __buffers__ = []
                  training : bool
                """
                        + functions.indent(2);
        module = new LoadedModule(TorchScriptArchive.of("Script", source), plain);
    }

    /**
     * Calls a function.
     *
     * @param function its name
     * @param arguments what it is given
     * @return what it returns, owned by the manager of the first argument
     */
    public NDList call(String function, NDArray... arguments) {
        return module.call(function, arguments);
    }

    /**
     * Makes an argument that lives as long as the process, for functions that are given the same
     * small settings again and again.
     *
     * @param values the numbers
     * @return (number of values) float64, on the CPU
     */
    public static NDArray constant(double... values) {
        return LoadedModule.constant(values);
    }
}
