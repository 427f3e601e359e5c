// A session with Qt's QLocalSocket and QJsonDocument, on lines. The daemon's pipe is in UMEM_PIPE.
#include <QtCore/QCoreApplication>
#include <QtCore/QJsonArray>
#include <QtCore/QJsonDocument>
#include <QtCore/QJsonObject>
#include <QtNetwork/QLocalSocket>

constexpr int minute = 60000;

static void expect(bool holds, const char *what)
{
    if (!holds)
        qFatal("FAILED: %s", what);
    qInfo("ok: %s", what);
}

class Client
{
  public:
    Client()
    {
        pipe.connectToServer(qEnvironmentVariable("UMEM_PIPE"));
        expect(pipe.waitForConnected(minute), "connected");
    }

    ~Client()
    {
        pipe.disconnectFromServer();
    }

    void send(const QJsonDocument &message)
    {
        pipe.write(message.toJson(QJsonDocument::Compact) + '\n');
    }

    QJsonDocument receive()
    {
        while (!pipe.canReadLine())
            if (!pipe.waitForReadyRead(minute))
                qFatal("no answer: %s", qPrintable(pipe.errorString()));
        return QJsonDocument::fromJson(pipe.readLine());
    }

    // The whole answer: {"result": ...} or {"error": ...} among others.
    QJsonObject call(const QString &method, const QJsonValue &params = QJsonObject())
    {
        send(QJsonDocument(
            QJsonObject{{"jsonrpc", "2.0"}, {"id", ++last_id}, {"method", method}, {"params", params}}));
        const QJsonObject answer = receive().object();
        if (answer["id"].toInt() != last_id)
            qFatal("not its answer");
        return answer;
    }

    QJsonObject result(const QString &method, const QJsonValue &params = QJsonObject())
    {
        return call(method, params)["result"].toObject();
    }

    QString refusal(const QString &method, const QJsonValue &params, int code)
    {
        const QJsonObject error = call(method, params)["error"].toObject();
        return error["code"].toInt() == code ? error["data"].toObject()["name"].toString() : "another code";
    }

  private:
    QLocalSocket pipe;
    int last_id = 0;
};

int main(int argc, char **argv)
{
    QCoreApplication application(argc, argv);
    Client client;

    expect(client.call("server.ping")["result"].isObject(), "a ping");
    // Qt's numbers are doubles, as JavaScript's; a handle is one exactly.
    const QJsonValue block =
        client.result("block.alloc", QJsonObject{{"size", 8}, {"lifetime", "session"}})["block"];
    const QString text = QString::fromUtf8("größer");
    expect(client.result("block.write",
                         QJsonObject{{"block", block}, {"data", text}, {"encoding", "utf8"}})["size"] == 8,
           "a write");
    expect(client.result("block.read", QJsonArray{block, QJsonValue(), QJsonValue(), "utf8"})["data"] == text,
           "a read by position");
    expect(client.refusal("block.read", QJsonObject{{"block", block}, {"offset", 6}, {"size", 4}}, -32003) ==
               "out_of_range",
           "an error");
    expect(client.refusal("block.frobnicate", QJsonArray(), -32601) == "method_not_found", "another");

    client.send(QJsonDocument(QJsonObject{
        {"jsonrpc", "2.0"}, {"method", "block.set"}, {"params", QJsonArray{block, 0, QJsonArray{9}}}}));
    client.send(QJsonDocument(QJsonArray{
        QJsonObject{
            {"jsonrpc", "2.0"}, {"id", "a"}, {"method", "block.get"}, {"params", QJsonArray{block, 0}}},
        QJsonObject{{"jsonrpc", "2.0"}, {"id", "b"}, {"method", "block.free"}, {"params", QJsonArray{block}}},
    }));
    const QJsonArray answers = client.receive().array();
    expect(answers.size() == 2 && answers[0].toObject()["result"].toObject()["values"] == QJsonArray{9},
           "a notification, seen by a batch");
    expect(answers[1].toObject()["id"] == "b", "the batch's second answer");
    expect(client.refusal("block.free", QJsonArray{block}, -32002) == "stale_handle",
           "a handle that is gone");
    return 0;
}
