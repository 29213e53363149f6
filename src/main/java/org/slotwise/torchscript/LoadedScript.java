package org.slotwise.torchscript;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.HeldArrays;
import org.slotwise.internal.LoadedModule;
import org.slotwise.internal.ParameterArray;
import org.slotwise.internal.Pass;
import org.slotwise.internal.TorchScriptArchive;

/**
 * A block's {@link Scriptable} equations as one call of the engine, on the block's own parameters.
 *
 * <p>A block of many small operations is a matter of calls, each of which costs some microseconds
 * from Java. This takes all of them in one:
 *
 * <pre>{@code
 * private final LoadedScript script = LoadedScript.of(this::script);
 *
 * NDArray y = script.fits(pass) ? script.call("forward", x).head() : layers.apply(pass, x);
 * }</pre>
 *
 * <p>Parameters are not copied: what a training changes in place is what the next call computes
 * with, and gradients go to them. Methods of inference ({@link ScriptModule.Builder#optInference})
 * are there as well; what they settle is made when the equations are loaded. Where a parameter has
 * another array since, as after loading, the next call takes that one. Operations run one by one as
 * they are written, so that a call gives the same bits as the one before. Calls may come from
 * several threads. The equations are loaded at the first call, and live as long as this object.
 */
public final class LoadedScript {

    private static final Cleaner CLEANER = Cleaner.create();

    private final Supplier<ScriptModule> equations;
    private volatile @Nullable Loaded loaded;
    private volatile boolean unwritten;

    private LoadedScript(Supplier<ScriptModule> equations) {
        this.equations = equations;
    }

    /** What is in the engine, and the arrays that it computes with. */
    private record Loaded(LoadedModule module, List<ParameterArray> values) {

        static Loaded of(LoadedModule module, List<Parameter> parameters) {
            List<ParameterArray> values = parameters.stream().map(ParameterArray::of).toList();
            if (!values.isEmpty()) {
                module.give(ScriptSource.KEEP, values.stream().map(ParameterArray::array).toList());
            }
            return new Loaded(module, values);
        }

        boolean isCurrent() {
            for (ParameterArray value : values) {
                if (!value.isCurrent()) {
                    return false;
                }
            }
            return true;
        }

        Loaded renewed() {
            return of(module, values.stream().map(ParameterArray::parameter).toList());
        }
    }

    /**
     * Equations that are loaded when they are first called.
     *
     * @param equations gives the module; one that cannot be written fits no call
     * @return the script
     */
    public static LoadedScript of(Supplier<ScriptModule> equations) {
        return new LoadedScript(equations);
    }

    /**
     * Whether a call of the block can be taken so: on a CPU, with the parameters' own arrays and
     * not with copies that a store made, if the equations can be written. On a GPU calls do not
     * wait for each other.
     *
     * @param pass the call of the block
     * @param input its main input
     * @return whether {@link #call} may be used
     */
    public boolean fits(Pass pass, NDArray input) {
        if (input.getDevice().isGpu() || !isWritten()) {
            return false;
        }
        List<ParameterArray> values = loaded().values;
        if (values.isEmpty()) {
            return true;
        }
        Parameter first = values.get(0).parameter();
        return pass.value(first) == first.getArray();
    }

    /** Loads the equations, if there are any. */
    private boolean isWritten() {
        if (loaded == null && !unwritten) {
            try {
                load();
            } catch (IllegalArgumentException e) {
                unwritten = true;
            }
        }
        return !unwritten;
    }

    /**
     * Calls a method of the module.
     *
     * @param method its name
     * @param arguments at least one array; what is left out has the method's own default
     * @return what it returns, an array for each entry of a tuple or dictionary, which are named;
     *     owned by the manager of the first argument
     */
    public NDList call(String method, NDArray... arguments) {
        try {
            return current().module.call(method, arguments);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Calls a method of the module whose first argument is a list.
     *
     * @param method its name
     * @param list at least one array
     * @param more the other arguments
     * @return what it returns, owned by the manager of the list's first array
     */
    public NDList call(String method, NDList list, NDArray... more) {
        try {
            return current().module.call(method, list, more);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Calls a method of the module that is given the same arrays again and again, without a graph.
     *
     * @param method its name
     * @param x the first argument
     * @param y the second
     * @param held the third, a list
     * @return the array that it returns, owned by the manager of x
     */
    public NDArray infer(String method, NDArray x, NDArray y, HeldArrays held) {
        try {
            return current().module.infer(method, x, y, held);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    private Loaded current() {
        Loaded current = loaded();
        return current.isCurrent() ? current : renew();
    }

    private Loaded loaded() {
        Loaded current = loaded;
        return current == null ? load() : current;
    }

    private synchronized Loaded load() {
        Loaded current = loaded;
        if (current == null) {
            ScriptModule module = equations.get();
            ScriptSource source = ScriptSource.kept(module);
            LoadedModule inEngine = new LoadedModule(archive(module, source), true);
            CLEANER.register(this, inEngine::close);
            current = Loaded.of(inEngine, source.parameters());
            loaded = current;
        }
        return current;
    }

    private synchronized Loaded renew() {
        Loaded current = loaded();
        if (!current.isCurrent()) {
            current = current.renewed();
            loaded = current;
        }
        return current;
    }

    /** The module with an array of one element in the place of each parameter's. */
    private static byte[] archive(ScriptModule module, ScriptSource source) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (NDManager host = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            ModulePickle pickle =
                    new ModulePickle(module, source.classes(), host.zeros(new Shape(1)));
            String text = source.text();
            TorchScriptArchive.write(bytes, pickle.bytes(), text, pickle.storages());
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory", e);
        }
        return bytes.toByteArray();
    }
}
