package org.slotwise.internal;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValueUtils;
import ai.djl.pytorch.jni.JniUtils;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/**
 * Functions in TorchScript: operations that DJL does not reach, and many small ones in one call.
 *
 * <p>The functions are loaded once and live as long as the process: make a script a constant. It
 * belongs to no device, and may be called from several threads at once. What it computes is
 * differentiable; whether a graph is recorded is decided as for every other operation (see {@link
 * NoGraph}).
 */
public final class Script {

    private static final NDManager OWNER = NDManager.newBaseManager(Device.cpu(), "PyTorch");

    /** Arrays whose names tell the engine which function to call. */
    private static final ConcurrentMap<String, NDArray> FUNCTIONS = new ConcurrentHashMap<>();

    /** What the engine is started with; there is no way to ask it. */
    private static final boolean OPTIMIZES =
            Boolean.parseBoolean(System.getProperty("ai.djl.pytorch.graph_optimizer", "true"));

    private final PtSymbolBlock module;
    private final boolean plain;

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
        this.plain = plain;
        String source =
                """
                class Script(Module):
                  __parameters__ = []
                  __buffers__ = []
                  training : bool
                """
                        + functions.indent(2);
        byte[] archive = TorchScriptArchive.of("Script", source);
        try {
            module =
                    JniUtils.loadModule(
                            (PtNDManager) OWNER, new ByteArrayInputStream(archive), true, false);
        } catch (IOException e) {
            throw new UncheckedIOException("reading from memory", e);
        }
    }

    /**
     * Calls a function. Arrays with names would be taken for entries of lists and dictionaries
     * ("conv.weight" for entry "weight" of "conv"), so nameless views stand in for them.
     *
     * @param function its name
     * @param arguments what it is given
     * @return what it returns, owned by the manager of the first argument
     */
    public NDList call(String function, NDArray... arguments) {
        List<NDArray> views = new ArrayList<>(arguments.length);
        try {
            NDList list = new NDList(arguments.length + 1);
            for (NDArray argument : arguments) {
                NDArray array = argument;
                if (argument.getName() != null) {
                    array = argument.reshape(argument.getShape());
                    views.add(array);
                }
                list.add(array);
            }
            list.add(FUNCTIONS.computeIfAbsent(function, Script::tag));
            // "Training" here means: not in the engine's inference mode, whose results can never
            // take part in a graph. It does not turn the recording of graphs on.
            return plain ? plainly(list) : IValueUtils.forward(module, list, true);
        } finally {
            views.forEach(NDArray::close);
        }
    }

    /** The setting is one of the thread. */
    private NDList plainly(NDList list) {
        JniUtils.setGraphExecutorOptimize(false);
        try {
            return IValueUtils.forward(module, list, true);
        } finally {
            JniUtils.setGraphExecutorOptimize(OPTIMIZES);
        }
    }

    private static NDArray tag(String function) {
        NDArray tag = constant(OWNER.create(0));
        tag.setName("module_method:" + function);
        return tag;
    }

    /** Takes an array out of a scope that happens to be open in this thread. */
    private static NDArray constant(NDArray array) {
        NDScope.unregister(array);
        return array;
    }

    /**
     * Makes an argument that lives as long as the process, for functions that are given the same
     * small settings again and again.
     *
     * @param values the numbers
     * @return (number of values) float64, on the CPU
     */
    public static NDArray constant(double... values) {
        return constant(OWNER.create(values));
    }
}
