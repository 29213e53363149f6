package org.slotwise.torchscript;

import ai.djl.nn.Parameter;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;

/**
 * A module of TorchScript: parameters, modules inside, and methods. What is learnt becomes a
 * parameter in PyTorch, what is not a buffer; the names are those of a state dict.
 *
 * <pre>{@code
 * ScriptModule.builder("Linear")
 *         .parameter("weight", weight)
 *         .parameter("bias", bias)
 *         .setCode("""
 *                 def forward(self, x: Tensor) -> Tensor:
 *                   return torch.linear(x, self.weight, self.bias)
 *                 """)
 *         .build()
 * }</pre>
 */
public final class ScriptModule {

    private static final String WHO = "ScriptModule";
    private static final Pattern TYPE = Pattern.compile("[A-Z][A-Za-z0-9]*");
    private static final Pattern NAME = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*|[0-9]+");

    private final String type;
    private final Map<String, Parameter> parameters;
    private final Map<String, ScriptModule> modules;
    private final @Nullable List<String> inputs;
    private final @Nullable List<String> outputs;
    private final String code;
    private final String inference;
    private final List<String> settled;

    private ScriptModule(Builder builder, String code) {
        type = builder.type;
        parameters = Collections.unmodifiableMap(new LinkedHashMap<>(builder.parameters));
        modules = Collections.unmodifiableMap(new LinkedHashMap<>(builder.modules));
        inputs = builder.inputs;
        outputs = builder.outputs;
        inference = builder.inference;
        settled = builder.settled;
        this.code = code;
    }

    /**
     * The module of a part of a block.
     *
     * @param who the block
     * @param part a layer or a block
     * @return its module
     * @throws IllegalArgumentException if it has none
     */
    public static ScriptModule of(String who, @Nullable Object part) {
        Check.option(
                TYPE.matcher(who).matches(),
                WHO + ": who must be a class's name, got '" + who + "'");
        if (part instanceof Scriptable scriptable) {
            return scriptable.script();
        }
        String name = part == null ? "nothing" : part.getClass().getSimpleName();
        throw new IllegalArgumentException(
                who
                        + ": "
                        + (name.isEmpty() ? "a nameless class" : name)
                        + " cannot be written in TorchScript; it is not Scriptable");
    }

    /**
     * The same module with one more inside, for whoever has this one.
     *
     * @param name its name in this module
     * @param inside the module
     * @return a new module
     * @throws IllegalArgumentException if the name is taken, or none
     */
    public ScriptModule with(String name, ScriptModule inside) {
        Builder more = builder(type);
        more.parameters.putAll(parameters);
        more.modules.putAll(modules);
        more.inputs = inputs;
        more.outputs = outputs;
        more.inference = inference;
        more.settled = settled;
        return more.module(name, inside).setCode(code).build();
    }

    /**
     * The same modules with other code, for this process alone.
     *
     * @param rewrite from a module to its code
     * @param inference from a module to its methods of inference
     */
    ScriptModule rewritten(
            Function<ScriptModule, String> rewrite, Function<ScriptModule, String> inference) {
        Builder same = builder(type);
        parameters.forEach(same::parameter);
        modules.forEach((name, inside) -> same.module(name, inside.rewritten(rewrite, inference)));
        same.settled = settled;
        return same.setCode(rewrite.apply(this)).optInference(inference.apply(this)).build();
    }

    /** What the class is called. */
    String type() {
        return type;
    }

    Map<String, Parameter> parameters() {
        return parameters;
    }

    Map<String, ScriptModule> modules() {
        return modules;
    }

    String code() {
        return code;
    }

    /** Methods for calls of this process that record no graph. */
    String inference() {
        return inference;
    }

    /** Arrays that {@code settle} of the methods of inference makes. */
    List<String> settled() {
        return settled;
    }

    /** What a whole model gives to {@code forward}; null for what its kind usually takes. */
    @Nullable List<String> inputs() {
        return inputs;
    }

    /** What {@code forward} of a conditioning gives by name; null for the slots' values alone. */
    @Nullable List<String> outputs() {
        return outputs;
    }

    /**
     * How a method reaches a module inside: names that are numbers are no names in Python.
     *
     * @param name the module's name
     * @return an expression
     * @throws IllegalArgumentException if that is no name
     */
    public static String self(String name) {
        checkName(name);
        return isNumber(name) ? "getattr(self, \"" + name + "\")" : "self." + name;
    }

    /**
     * How a method reaches a module of a {@link #list} inside.
     *
     * @param name the list's name
     * @param number the module's, from 0
     * @return an expression
     * @throws IllegalArgumentException if that is no name, or the number is below 0
     */
    public static String self(String name, int number) {
        Check.atLeast(WHO, "number", number, 0);
        return "getattr(" + self(name) + ", \"" + number + "\")";
    }

    /**
     * Modules under the numbers from 0 on, as PyTorch's {@code nn.ModuleList}.
     *
     * @param modules the modules
     * @return a module without methods
     */
    public static ScriptModule list(List<ScriptModule> modules) {
        Builder list = builder("ModuleList");
        for (int i = 0; i < modules.size(); i++) {
            list.module(Integer.toString(i), modules.get(i));
        }
        return list.setCode("").build();
    }

    /** Whether a name is none in Python. */
    static boolean isNumber(String name) {
        return Character.isDigit(name.charAt(0));
    }

    private static void checkName(String name) {
        Check.option(
                NAME.matcher(name).matches(),
                WHO + ": names must be of letters, digits and _, got '" + name + "'");
    }

    /**
     * Starts the description of a module.
     *
     * @param type what its class is called: letters and digits, the first a capital
     * @return a builder
     * @throws IllegalArgumentException if that is no name of a class
     */
    public static Builder builder(String type) {
        Check.option(
                TYPE.matcher(type).matches(),
                WHO + ": the type must be letters and digits, got '" + type + "'");
        return new Builder(type);
    }

    /** Describes a {@link ScriptModule}. */
    public static final class Builder {
        private final String type;
        private final Map<String, Parameter> parameters = new LinkedHashMap<>();
        private final Map<String, ScriptModule> modules = new LinkedHashMap<>();
        private @Nullable List<String> inputs;
        private @Nullable List<String> outputs;
        private String inference = "";
        private List<String> settled = List.of();
        private @Nullable String code;

        private Builder(String type) {
            this.type = type;
        }

        /**
         * Adds a parameter.
         *
         * @param name its name in the module
         * @param parameter the parameter; null for one that was left out, which adds nothing
         * @return this
         * @throws IllegalArgumentException if the name is taken, or none
         */
        public Builder parameter(String name, @Nullable Parameter parameter) {
            if (parameter != null) {
                checkNew(name);
                parameters.put(name, parameter);
            }
            return this;
        }

        /**
         * Adds a module inside.
         *
         * @param name its name in the module
         * @param module the module; null for one that was left out, which adds nothing
         * @return this
         * @throws IllegalArgumentException if the name is taken, or none
         */
        public Builder module(String name, @Nullable ScriptModule module) {
            if (module != null) {
                checkNew(name);
                modules.put(name, module);
            }
            return this;
        }

        private void checkNew(String name) {
            checkName(name);
            Check.option(
                    !parameters.containsKey(name) && !modules.containsKey(name),
                    WHO + ": there is a " + name + " already");
        }

        /**
         * Sets what a whole model gives to {@code forward} of a conditioning or a decoder, or
         * {@code group} of a grouping, if that is not what {@link Scriptable} says.
         *
         * @param inputs names that {@link DiscoveryScript} has, in the order of the arguments
         * @return this
         */
        public Builder optInputs(String... inputs) {
            this.inputs = List.of(inputs);
            return this;
        }

        /**
         * Sets what {@code forward} of a conditioning gives, if that is more than the slots'
         * values: a dict of these names.
         *
         * @param outputs "conditioning", and of "slot_positions", "guess" and "is_empty" those that
         *     there are
         * @return this
         */
        public Builder optOutputs(String... outputs) {
            this.outputs = List.of(outputs);
            return this;
        }

        /**
         * Sets more methods, of which a {@link LoadedScript} alone knows, while files do not: the
         * same equations for calls that record no graph, in whatever order is fastest.
         *
         * @param inference their definitions, as those of {@link #setCode}
         * @return this
         */
        public Builder optInference(String inference) {
            this.inference = inference;
            return this;
        }

        /**
         * Sets arrays that the methods of {@link #optInference} find in the module: what follows
         * from sizes and types, and not from what parameters hold. A method {@code settle(self) ->
         * NoneType} of theirs makes them when the equations are loaded.
         *
         * @param names the arrays' names
         * @return this
         */
        public Builder optSettled(String... names) {
            settled = List.of(names);
            return this;
        }

        /**
         * Sets the methods.
         *
         * @param code their definitions, indented by twos, in the part of Python that TorchScript
         *     is
         * @return this
         */
        public Builder setCode(String code) {
            this.code = code;
            return this;
        }

        /**
         * Builds the module.
         *
         * @return the module
         * @throws IllegalArgumentException if there is no code
         */
        public ScriptModule build() {
            if (code == null) {
                throw new IllegalArgumentException(WHO + ": code is missing");
            }
            return new ScriptModule(this, code);
        }
    }
}
