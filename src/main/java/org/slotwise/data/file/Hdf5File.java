package org.slotwise.data.file;

import io.jhdf.HdfFile;
import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import org.slotwise.data.SceneFileException;

/**
 * An HDF5 file that is open, through jHDF for its description and through a channel for plain data.
 */
final class Hdf5File implements Closeable {

    private final Path path;
    private final HdfFile hdf;
    private final FileChannel channel;

    private Hdf5File(Path path, HdfFile hdf, FileChannel channel) {
        this.path = path;
        this.hdf = hdf;
        this.channel = channel;
    }

    /**
     * Opens a file.
     *
     * @throws SceneFileException if it is no HDF5 file, or damaged at its start
     */
    static Hdf5File open(Path path) throws IOException {
        InputFile.require(path);
        FileChannel channel = FileChannel.open(path);
        try {
            String what = "not a HDF5 file, or damaged at its start";
            return new Hdf5File(path, guarded(path, what, () -> new HdfFile(path)), channel);
        } catch (IOException e) {
            channel.close();
            throw e;
        }
    }

    /** What is asked of jHDF. */
    interface Question<T> {
        T answer() throws IOException;
    }

    /**
     * Asks jHDF. It reports damage in many ways; where a file says that something is large, or
     * inside of itself, jHDF believes it until there is no memory.
     */
    static <T> T guarded(Path path, String what, Question<T> question) throws IOException {
        try {
            return question.answer();
        } catch (RuntimeException e) {
            throw new SceneFileException(path, what + ": " + reason(e), e);
        } catch (VirtualMachineError e) {
            throw new SceneFileException(path, what + ": " + excess(e), e);
        }
    }

    /** What an error of the virtual machine means here. */
    static String excess(VirtualMachineError e) {
        if (e instanceof OutOfMemoryError) {
            return "it says that something is larger than the memory that there is";
        }
        return e instanceof StackOverflowError
                ? "something in it is inside of itself, or too deep"
                : "it changed while it was read";
    }

    /** What jHDF found wrong: it says so in the innermost of its exceptions. */
    static String reason(Throwable e) {
        Throwable innermost = e;
        while (innermost.getCause() != null) {
            innermost = innermost.getCause();
        }
        return innermost.getMessage() == null ? innermost.toString() : innermost.getMessage();
    }

    Path path() {
        return path;
    }

    HdfFile hdf() {
        return hdf;
    }

    FileChannel channel() {
        return channel;
    }

    @Override
    public void close() throws IOException {
        try (channel) {
            hdf.close();
        }
    }
}
