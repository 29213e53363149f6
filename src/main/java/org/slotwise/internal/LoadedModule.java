package org.slotwise.internal;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValue;
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
 * A module of TorchScript in the engine, whose methods are called on arrays.
 *
 * <p>It may be called from several threads at once. What it computes is differentiable; whether a
 * graph is recorded is decided as for every other operation (see {@link NoGraph}).
 */
public final class LoadedModule implements AutoCloseable {

    private static final NDManager OWNER = NDManager.newBaseManager(Device.cpu(), "PyTorch");

    /** Arrays whose names tell the engine which method to call. */
    private static final ConcurrentMap<String, NDArray> METHODS = new ConcurrentHashMap<>();

    /** What the engine is started with; there is no way to ask it. */
    private static final boolean OPTIMIZES =
            Boolean.parseBoolean(System.getProperty("ai.djl.pytorch.graph_optimizer", "true"));

    private final NDManager owner = OWNER.newSubManager();
    private final PtSymbolBlock module;
    private final boolean plain;

    /**
     * Loads a module.
     *
     * @param archive as {@link TorchScriptArchive} writes it
     * @param plain whether operations run one by one as they are written (see {@link Script#plain})
     */
    public LoadedModule(byte[] archive, boolean plain) {
        this.plain = plain;
        try {
            module =
                    JniUtils.loadModule(
                            (PtNDManager) owner, new ByteArrayInputStream(archive), true, false);
        } catch (IOException e) {
            throw new UncheckedIOException("reading from memory", e);
        }
    }

    /**
     * Calls a method. Arrays with names would be taken for entries of lists and dictionaries
     * ("conv.weight" for entry "weight" of "conv"), so nameless views stand in for them.
     *
     * @param method its name
     * @param arguments what it is given: at least one array
     * @return what it returns, owned by the manager of the first argument
     */
    public NDList call(String method, NDArray... arguments) {
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
            list.add(METHODS.computeIfAbsent(method, LoadedModule::tag));
            // "Training" here means: not in the engine's inference mode, whose results can never
            // take part in a graph. It does not turn the recording of graphs on.
            return plain ? plainly(list) : IValueUtils.forward(module, list, true);
        } finally {
            views.forEach(NDArray::close);
        }
    }

    /**
     * Calls a method that is given a list first.
     *
     * @param method its name
     * @param list at least one array without a name
     * @param more the other arguments
     * @return what it returns, owned by the manager of the list's first array
     */
    public NDList call(String method, NDList list, NDArray... more) {
        NDList all = new NDList(list.size() + more.length + 1);
        try {
            for (NDArray array : list) {
                array.setName("list[]");
                all.add(array);
            }
            all.addAll(List.of(more));
            all.add(METHODS.computeIfAbsent(method, LoadedModule::tag));
            return plain ? plainly(all) : IValueUtils.forward(module, all, true);
        } finally {
            list.forEach(array -> array.setName(null));
        }
    }

    /**
     * Calls a method that is given the same arrays again and again, without a graph: of two arrays
     * and a list it gives one.
     *
     * @param method its name
     * @param x the first argument
     * @param y the second
     * @param held the third, a list
     * @return what it returns, owned by the manager of x
     */
    public NDArray infer(String method, NDArray x, NDArray y, HeldArrays held) {
        PtNDManager manager = (PtNDManager) x.getManager();
        JniUtils.setGraphExecutorOptimize(!plain && OPTIMIZES);
        try (IValue first = IValue.from((PtNDArray) x);
                IValue second = IValue.from((PtNDArray) y);
                IValue result = IValueUtils.runMethod(module, method, first, second, held.list());
                PtNDArray ofInference = result.toTensor(manager)) {
            // What is made in the engine's inference mode can take no part in a graph; a copy can.
            return JniUtils.clone(ofInference);
        } finally {
            JniUtils.setGraphExecutorOptimize(OPTIMIZES);
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

    /**
     * Gives arrays themselves, not views of them, to a method that keeps them and returns nothing.
     *
     * @param method its name; this runs in the engine's inference mode, so that what it computes
     *     and keeps can take no part in a graph
     * @param arrays its only argument, a list
     */
    public void give(String method, List<? extends NDArray> arrays) {
        PtNDArray[] all = arrays.stream().map(PtNDArray.class::cast).toArray(PtNDArray[]::new);
        try (IValue list = IValue.listFrom(all);
                IValue nothing = IValueUtils.runMethod(module, method, list)) {
            Check.given(nothing, "LoadedModule: result");
        }
    }

    /** Frees the module, and the arrays that it keeps if nobody else does. */
    @Override
    public void close() {
        owner.close();
    }

    private static NDArray tag(String method) {
        NDArray tag = constant(0);
        tag.setName("module_method:" + method);
        return tag;
    }

    /** An array that lives as long as the process, whatever scope is open in this thread. */
    static NDArray constant(double... values) {
        NDArray array = OWNER.create(values);
        NDScope.unregister(array);
        return array;
    }
}
