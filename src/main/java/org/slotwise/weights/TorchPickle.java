package org.slotwise.weights;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Reads Python's pickle format as far as checkpoints need it: text, numbers, lists, dicts and
 * tensors. A pickle is a program that may call anything in Python; here nothing is ever run, and
 * what is not known becomes a {@link TorchObject}.
 *
 * <p>Every instruction takes a bounded amount of memory, and none recurses. There is a limit to
 * their number. The values are {@link String}, {@link Number}, {@link Boolean}, byte[], {@link
 * List} for lists, tuples and sets, {@link TorchDict}, {@link TorchTensor}, {@link
 * UnreadableTensor}, {@link TorchTensor.Storage}, {@link TorchGlobal}, {@link TorchObject} and
 * {@link #NONE}. A list, dict or object may contain itself.
 */
final class TorchPickle {

    /** Python's None. */
    static final Object NONE = new Object();

    /** Enough for a hundred thousand tensors; what they make together stays in memory. */
    static final int MAX_INSTRUCTIONS = 3_000_000;

    /** Bytes of a whole number. */
    private static final int MAX_DIGITS = 1024;

    private final ByteBuffer in;
    private final Map<Integer, Object> memo = new HashMap<>();
    private final Deque<List<Object>> below = new ArrayDeque<>();
    private List<Object> stack = new ArrayList<>();

    private TorchPickle(byte[] pickle) {
        in = ByteBuffer.wrap(pickle).order(ByteOrder.LITTLE_ENDIAN);
    }

    /**
     * Reads a pickle.
     *
     * @throws IOException if it is damaged, or has instructions that checkpoints do not need
     */
    static Object read(byte[] pickle) throws IOException {
        TorchPickle reader = new TorchPickle(pickle);
        try {
            for (int i = 0; i < MAX_INSTRUCTIONS; i++) {
                int opcode = reader.in.get() & 0xff;
                if (opcode == '.') {
                    return reader.pop();
                }
                reader.run(opcode);
            }
            throw new IOException("the pickle has more than " + MAX_INSTRUCTIONS + " instructions");
        } catch (BufferUnderflowException e) {
            throw new IOException("the pickle is cut off", e);
        }
    }

    private void run(int opcode) throws IOException {
        switch (opcode) {
            case 0x80 -> checkProtocol(in.get()); // PROTO
            case 0x95 -> in.getLong(); // FRAME
            case '(' -> mark();
            case '0' -> pop();
            case '1' -> popMark();
            case '2' -> push(peek());
            case 'N' -> push(NONE);
            case 0x88 -> push(true);
            case 0x89 -> push(false);
            case 'J' -> push((long) in.getInt());
            case 'K' -> push((long) (in.get() & 0xff));
            case 'M' -> push((long) (in.getShort() & 0xffff));
            case 0x8a -> push(number(bytes(in.get() & 0xff)));
            case 0x8b -> push(number(bytes(digits(in.getInt()))));
            case 'G' -> push(Double.longBitsToDouble(Long.reverseBytes(in.getLong())));
            case 'X' -> push(text(length(in.getInt())));
            case 0x8c -> push(text(in.get() & 0xff));
            case 0x8d -> push(text(length(in.getLong())));
            case 'U' -> push(text(in.get() & 0xff));
            case 'T' -> push(text(length(in.getInt())));
            case 'C' -> push(bytes(in.get() & 0xff));
            case 'B' -> push(bytes(length(in.getInt())));
            case 0x8e, 0x96 -> push(bytes(length(in.getLong())));
            case 'q' -> memo.put(in.get() & 0xff, peek());
            case 'r' -> memo.put(in.getInt(), peek());
            case 0x94 -> memo.put(memo.size(), peek());
            case 'h' -> push(memorised(in.get() & 0xff));
            case 'j' -> push(memorised(in.getInt()));
            default -> build(opcode);
        }
    }

    /** The instructions that make or fill something larger. */
    private void build(int opcode) throws IOException {
        switch (opcode) {
            case ')', ']', 0x8f -> push(new ArrayList<>(0));
            case '}' -> push(new TorchDict());
            case 't', 'l', 0x91 -> push(popMark());
            case 0x85 -> push(last(1));
            case 0x86 -> push(last(2));
            case 0x87 -> push(last(3));
            case 'a' -> {
                Object item = pop();
                elements(peek()).add(item);
            }
            case 'e', 0x90 -> {
                List<Object> items = popMark();
                elements(peek()).addAll(items);
            }
            case 's' -> setItems(last(2));
            case 'u' -> setItems(popMark());
            case 'd' -> {
                List<Object> items = popMark();
                push(new TorchDict());
                setItems(items);
            }
            case 'c' -> {
                String module = line();
                push(TorchGlobal.named(module, line()));
            }
            case 0x93 -> {
                List<Object> name = last(2);
                push(TorchGlobal.named(string(name.get(0)), string(name.get(1))));
            }
            case 'Q' -> push(TorchTensor.Storage.of(list(pop())));
            default -> make(opcode);
        }
    }

    /** The instructions that call functions and make objects. */
    private void make(int opcode) throws IOException {
        switch (opcode) {
            case 'R' -> {
                List<Object> arguments = list(pop());
                push(call(pop(), arguments));
            }
            case 0x81 -> {
                List<Object> arguments = list(pop());
                push(global(pop()).object(arguments));
            }
            case 0x92 -> {
                Object named = pop();
                List<Object> arguments = list(pop());
                TorchObject object = global(pop()).object(arguments);
                object.parts().add(named); // arguments too
                push(object);
            }
            case 'b' -> {
                Object state = pop();
                // A state dict's _metadata, as attributes of its OrderedDict: not needed.
                if (peek() instanceof TorchObject object) {
                    object.state(state);
                } else if (!(peek() instanceof TorchDict)) {
                    throw new IOException("the pickle sets attributes of what is not an object");
                }
            }
            default ->
                    throw new IOException(
                            String.format(
                                    Locale.ROOT,
                                    "the pickle has an instruction 0x%02x, which checkpoints do"
                                            + " not need",
                                    opcode));
        }
    }

    private static void checkProtocol(int protocol) throws IOException {
        if (protocol < 2 || protocol > 5) {
            throw new IOException("the pickle is of protocol " + protocol);
        }
    }

    private void mark() {
        below.push(stack);
        stack = new ArrayList<>();
    }

    private List<Object> popMark() throws IOException {
        if (below.isEmpty()) {
            throw new IOException("the pickle takes a mark that is not there");
        }
        List<Object> items = stack;
        stack = below.pop();
        return items;
    }

    private void push(Object value) {
        stack.add(value);
    }

    private Object pop() throws IOException {
        Object top = peek();
        stack.remove(stack.size() - 1);
        return top;
    }

    private Object peek() throws IOException {
        if (stack.isEmpty()) {
            throw new IOException("the pickle takes more than it has");
        }
        return stack.get(stack.size() - 1);
    }

    private List<Object> last(int count) throws IOException {
        if (stack.size() < count) {
            throw new IOException("the pickle takes more than it has");
        }
        List<Object> top = stack.subList(stack.size() - count, stack.size());
        List<Object> items = new ArrayList<>(top);
        top.clear();
        return items;
    }

    private Object memorised(int index) throws IOException {
        Object value = memo.get(index);
        if (value == null) {
            throw new IOException("the pickle recalls what it did not store");
        }
        return value;
    }

    private void setItems(List<Object> items) throws IOException {
        TorchDict dict = peek() instanceof TorchObject object ? object.items() : dict(peek());
        if (items.size() % 2 != 0) {
            throw new IOException("the pickle has a key without a value");
        }
        for (int i = 0; i < items.size(); i += 2) {
            dict.put(items.get(i), items.get(i + 1));
        }
    }

    private static TorchDict dict(Object value) throws IOException {
        if (value instanceof TorchDict dict) {
            return dict;
        }
        throw new IOException("the pickle puts items into what is not a dict");
    }

    private static List<Object> elements(Object value) throws IOException {
        return value instanceof TorchObject object ? object.parts() : list(value);
    }

    /** Of what a function gave, a method or another function may be asked for. */
    private static Object call(Object function, List<Object> arguments) throws IOException {
        if (function instanceof TorchObject made) {
            return new TorchObject(made.name(), arguments);
        }
        return global(function).call(arguments);
    }

    /** How many digits a long number has; more than any that is meant would take long to read. */
    private int digits(long length) throws IOException {
        if (length > MAX_DIGITS) {
            throw new IOException("the pickle has a number of " + length + " bytes");
        }
        return length(length);
    }

    private int length(long length) throws IOException {
        if (length < 0 || length > in.remaining()) {
            throw new IOException("the pickle is cut off");
        }
        return (int) length;
    }

    private byte[] bytes(int count) {
        if (count > in.remaining()) {
            throw new BufferUnderflowException();
        }
        byte[] bytes = new byte[count];
        in.get(bytes);
        return bytes;
    }

    private String text(int count) {
        return new String(bytes(count), StandardCharsets.UTF_8);
    }

    private String line() {
        int start = in.position();
        while (in.get() != '\n') {
            // go on
        }
        int count = in.position() - 1 - start;
        String line = new String(in.array(), start, count, StandardCharsets.UTF_8);
        return line;
    }

    /** A number of any length, little-endian; nothing is 0. */
    private static Number number(byte[] bytes) {
        byte[] reversed = new byte[bytes.length + 1];
        for (int i = 0; i < bytes.length; i++) {
            reversed[bytes.length - i] = bytes[i];
        }
        boolean negative = bytes.length > 0 && bytes[bytes.length - 1] < 0;
        reversed[0] = (byte) (negative ? -1 : 0);
        BigInteger value = new BigInteger(reversed);
        if (value.bitLength() < Long.SIZE) {
            return value.longValue();
        }
        return value;
    }

    private static TorchGlobal global(Object value) throws IOException {
        if (value instanceof TorchGlobal global) {
            return global;
        }
        throw new IOException("the pickle calls what is not a function");
    }

    private static String string(Object value) throws IOException {
        if (value instanceof String text) {
            return text;
        }
        throw new IOException("the pickle has a name that is not text");
    }

    @SuppressWarnings("unchecked") // every list here is one of objects
    static List<Object> list(Object value) throws IOException {
        if (value instanceof List<?> list) {
            return (List<Object>) list;
        }
        throw new IOException("the pickle has no list where one must be");
    }
}
